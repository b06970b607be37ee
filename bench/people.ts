import { connectOperator } from '@haic/cli/installation/operator.ts';
import { installationOf, readSettings } from '@haic/server/settings.ts';
import type { Haic } from '../test/support/haic.ts';

export interface Person {
  readonly subject: string;
  readonly username: string;
  /** An access token with some minutes left. */
  readonly token: () => Promise<string>;
}

/** Made as an operator makes them, with a platform token each. */
export async function makePeople(haic: Haic, count: number): Promise<readonly Person[]> {
  const operator = await connectOperator(installationOf(readSettings(haic.environment)));
  const tokenEndpoint = `${haic.url}/auth/realms/haic/protocol/openid-connect/token`;
  try {
    const made: Person[] = [];
    for (let n = 0; n < count; n += 1) {
      // As long as one another, so that no name is part of another.
      const username = `person-${String(n).padStart(4, '0')}`;
      const { user } = await operator.call<{ user: { subject: string } }>(
        'POST',
        '/internal/identity/users',
        { username, roles: ['user'], groups: [] },
      );
      const { refreshToken, clientId } = await operator.call<{ refreshToken: string; clientId: string }>(
        'POST',
        `/internal/identity/users/${username}/platform-token`,
      );
      const token = accessTokens(tokenEndpoint, { client_id: clientId, refresh_token: refreshToken });
      made.push({ subject: user.subject, username, token });
    }
    return made;
  } finally {
    await operator.close();
  }
}

/** An access token lasts five minutes, a rehearsal on a small machine longer. */
function accessTokens(endpoint: string, grant: Record<string, string>): () => Promise<string> {
  let current: { token: string; until: number } | undefined;
  return async () => {
    if (current !== undefined && performance.now() < current.until) return current.token;
    const body = new URLSearchParams({ grant_type: 'refresh_token', ...grant });
    const answer = await fetch(endpoint, { method: 'POST', body });
    if (!answer.ok) throw new Error(`The issuer answered ${answer.status}.`);
    const { access_token: token } = (await answer.json()) as { access_token: string };
    current = { token, until: performance.now() + 180_000 };
    return token;
  };
}
