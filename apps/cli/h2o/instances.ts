import { age, confirmOnTerminal, output, print, record, say, table } from '../terminal.ts';
import type { Api, Instance } from './api.ts';
import { commandName } from './command-name.ts';
import { instanceRecord, statusWord } from './present.ts';

const instancePath = (id: string) => `/api/v1/instances/${encodeURIComponent(id)}`;

interface Output {
  readonly json: boolean;
}

export async function listInstances(
  api: Api,
  options: Output & { all: boolean; wide: boolean },
): Promise<void> {
  const instances = await api.all<Instance>(`/api/v1/instances${options.all ? '?all=true' : ''}`);
  const newestFirst = [...instances].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  const { wide } = options;
  output(options.json, newestFirst, () =>
    table(
      [
        'ID',
        'TITLE',
        'OWNER',
        'CREATED',
        'STATUS',
        'VISIBILITY',
        ...(wide ? ['APP ID', 'URL', 'REASON'] : []),
      ],
      newestFirst.map((i) => [
        i.id,
        `${i.app.title} ${i.app.version}`,
        i.owner.username,
        age(i.createdAt),
        statusWord(i.status),
        i.visibility,
        ...(wide ? [i.app.id, i.url, i.reason] : []),
      ]),
    ),
  );
  if (instances.length === 0 && !options.all)
    say(`You run nothing. What can be run: ${commandName} app list --all`);
}

function printInstance(instance: Instance, { json }: Output): void {
  output(json, instance, () => instanceRecord(instance));
}

export async function getInstance(api: Api, id: string, options: Output): Promise<void> {
  printInstance(await api.json<Instance>('GET', instancePath(id)), options);
}

/** Pauses it: nothing runs then, and its data volume is kept. */
export async function suspendInstance(api: Api, id: string, options: Output): Promise<void> {
  printInstance(await api.json<Instance>('POST', `${instancePath(id)}/suspend`), options);
  say(`It is paused. Use it again: ${commandName} instance resume ${id}`);
}

export async function resumeInstance(api: Api, id: string, options: Output): Promise<void> {
  printInstance(await api.json<Instance>('POST', `${instancePath(id)}/resume`), options);
  say(`It starts now. Watch it: ${commandName} instance logs -f ${id}`);
}

/** Applies what is set up on the server now; a running one is replaced if that changes anything for it. */
export async function redeployInstance(api: Api, id: string, options: Output): Promise<void> {
  printInstance(await api.json<Instance>('POST', `${instancePath(id)}/redeploy`), options);
  say(`It is as a new one would be. Watch it: ${commandName} instance logs -f ${id}`);
}

/** Sets back the time until it pauses by itself. */
export async function extendInstance(api: Api, id: string, options: Output): Promise<void> {
  printInstance(await api.json<Instance>('POST', `${instancePath(id)}/extend`), options);
}

export async function updateInstance(
  api: Api,
  id: string,
  options: Output & { visibility?: string; owner?: string },
): Promise<void> {
  const { visibility, owner } = options;
  const json = { visibility, owner };
  printInstance(await api.json<Instance>('PATCH', instancePath(id), { json }), options);
}

interface PodStatus {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly exitCode: number | null;
  readonly restartCount: number;
  readonly lastFailure: string;
}

/** The pod view (app-store.md §3): why it is not running, in one look. */
export async function instanceStatus(api: Api, id: string, options: Output): Promise<void> {
  const pod = await api.json<PodStatus>('GET', `${instancePath(id)}/status`);
  output(options.json, pod, () =>
    record([
      ['Status', pod.status],
      ['Reason', pod.reason],
      ['Message', pod.message],
      ['Exit Code', pod.exitCode === null ? '' : String(pod.exitCode)],
      ['Restart Count', String(pod.restartCount)],
      ['Last Failure', pod.lastFailure],
    ]),
  );
  if (pod.status !== 'Running') say(`What it wrote: ${commandName} instance logs ${id}`);
}

export async function terminateInstance(
  api: Api,
  id: string,
  options: Output & { yes: boolean },
): Promise<void> {
  await confirmOnTerminal(`Terminate instance ${id} and delete its data for good?`, options.yes);
  await api.json('DELETE', instancePath(id));
  if (options.json) print(JSON.stringify({ id }));
  say(`Instance ${id} is terminated.`);
}
