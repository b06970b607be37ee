import { deadline, sleep } from '@haic/kit/deadline.ts';
import { installationOf, type ServerSettings } from '@haic/server/settings.ts';
import { connectOperator, type Operator } from '../installation/operator.ts';
import { CommandError, print, say, step, table } from '../terminal.ts';

/** As `services/secrets` says it. */
interface KeyStatus {
  readonly current: string;
  readonly keys: readonly { readonly id: string; readonly wraps: number }[];
  readonly left: number;
  readonly problem: string;
}

const path = '/internal/secure-store/keys';

/** Has a new key wrap the data keys of all secrets, and waits until it does. Cut off, Haic goes on by itself. */
export const rotateSecretsKey = (settings: ServerSettings): Promise<void> =>
  asOperator(settings, async (operator) => {
    const begun = await operator.call<KeyStatus>('POST', path);
    const done = await step('Wrapping data keys anew', (tell) => untilDone(operator, begun, tell));
    print(done.current);
    if (done.keys.length === 1)
      say('This key wraps every secret now. If the keys are yours to keep, the ones before it can go.');
    else say('Haic knows these keys still, because something is wrapped by them: ./haic secure-store status');
  });

async function untilDone(
  operator: Operator,
  begun: KeyStatus,
  tell: (text: string) => void,
): Promise<KeyStatus> {
  // As long as it takes: it goes on in Haic, whoever looks.
  const signal = deadline(24 * 60 * 60 * 1000);
  for (let status = begun; ; status = await operator.call<KeyStatus>('GET', path)) {
    if (status.problem !== '')
      throw new CommandError(`${status.problem} Haic tries again by itself: ./haic secure-store status`);
    if (status.left === 0 && (status.keys.length === 1 || status !== begun)) return status;
    tell(`${status.left} left`);
    await sleep(200, signal);
  }
}

export const printSecretsKeys = (settings: ServerSettings, { json }: { json: boolean }): Promise<void> =>
  asOperator(settings, async (operator) => {
    const status = await operator.call<KeyStatus>('GET', path);
    if (json) return print(JSON.stringify(status, undefined, 2));
    const rows = status.keys.map(({ id, wraps }) => [id, String(wraps), id === status.current ? 'yes' : '']);
    print(table(['KEY', 'WRAPS', 'CURRENT'], rows));
    if (status.problem !== '') say(status.problem);
  });

async function asOperator(
  settings: ServerSettings,
  work: (operator: Operator) => Promise<void>,
): Promise<void> {
  const operator = await connectOperator(installationOf(settings));
  try {
    await work(operator);
  } finally {
    await operator.close();
  }
}
