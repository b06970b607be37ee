import { deadline } from '../deadline.ts';
import { messageOf, unavailable } from '../errors.ts';
import type { Fetch } from '../http/client.ts';

/** So long before its end a token is not used any more. */
const spareSeconds = 30;
const deadlineMs = 10_000;

/**
 * A service's own access tokens, by client credentials, asked for when one is needed and kept until shortly before their end. The issuer has
 * the path layout of Keycloak (design decision 4).
 */
export function createServiceToken(options: {
  readonly issuer: string;
  readonly client: { readonly id: string; readonly secret: string };
  readonly fetch: Fetch;
}): () => Promise<string> {
  let kept: { readonly token: string; readonly until: number } | undefined;
  let asking: Promise<string> | undefined;

  async function ask(): Promise<string> {
    try {
      const response = await options.fetch(`${options.issuer}/protocol/openid-connect/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: options.client.id,
          client_secret: options.client.secret,
        }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        redirect: 'error',
        signal: deadline(deadlineMs),
      });
      const { token, seconds } = await readAnswer(response);
      kept = { token, until: Date.now() + (seconds - spareSeconds) * 1000 };
      return token;
    } catch (error) {
      throw unavailable(
        'issuer_unavailable',
        `The sign-in service gives ${options.client.id} no token (${messageOf(error)}). Try again in a moment.`,
        { cause: error },
      );
    }
  }

  return async () => {
    if (kept !== undefined && kept.until > Date.now()) return kept.token;
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

async function readAnswer(response: Response): Promise<{ token: string; seconds: number }> {
  const text = await response.text();
  if (!response.ok) throw new Error(`it answers ${response.status}: ${text.slice(0, 200)}`);
  const answer: unknown = JSON.parse(text);
  const token = typeof answer === 'object' && answer !== null && Reflect.get(answer, 'access_token');
  const seconds = typeof answer === 'object' && answer !== null && Reflect.get(answer, 'expires_in');
  if (typeof token !== 'string') throw new Error('its answer has no token');
  return { token, seconds: typeof seconds === 'number' ? seconds : 60 };
}
