import { deadline } from '@haic/kit/deadline.ts';
import { callJson, type Fetch } from '@haic/kit/http/client.ts';
import { haicVersion } from '@haic/kit/version.ts';
import { say } from '../terminal.ts';
import { isSingleFile } from './command-name.ts';

/** Says that the server offers a newer command line than this downloaded one. Whatever goes wrong here is no concern of the command. */
export async function hintAtNewerVersion(fetch: Fetch, endpoint: string): Promise<void> {
  if (!isSingleFile) return;
  try {
    const url = `${endpoint}/cli/version`;
    const { version } = await callJson<{ version: string }>(fetch, url, { signal: deadline(2_000) });
    if (!isNewer(version, haicVersion)) return;
    say(
      `h2o ${haicVersion} is older than ${endpoint}, which offers ${version}: ${endpoint}/cli-and-api-access`,
    );
  } catch {
    // An older Haic offers none.
  }
}

/** Of two versions of Haic itself: three numbers. */
export function isNewer(offered: string, own: string): boolean {
  const [a, b] = [offered, own].map((version) => version.split(/[.+-]/, 3).map(Number));
  for (let place = 0; place < 3; place += 1) {
    const difference = (a?.[place] ?? 0) - (b?.[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
