import process from 'node:process';
import { age, print, record, say, table } from '../terminal.ts';
import type { Api, Instance } from './api.ts';

const instancePath = (id: string) => `/api/v1/instances/${encodeURIComponent(id)}`;

export async function listInstances(api: Api, options: { all: boolean; json: boolean }): Promise<void> {
  const instances = await api.all<Instance>(`/api/v1/instances${options.all ? '?all=true' : ''}`);
  const newestFirst = [...instances].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  if (options.json) return print(JSON.stringify(newestFirst, undefined, 2));
  const rows = newestFirst.map((i) => [
    i.id,
    `${i.app.title} ${i.app.version}`,
    i.owner.username,
    age(i.createdAt),
    statusWord(i.status),
    i.visibility,
  ]);
  print(table(['ID', 'TITLE', 'OWNER', 'CREATED', 'STATUS', 'VISIBILITY'], rows));
}

export async function getInstance(api: Api, id: string, options: { json: boolean }): Promise<void> {
  printInstance(await api.json<Instance>('GET', instancePath(id)), options.json);
}

/** Pauses it: nothing runs then, and its data volume is kept. */
export async function suspendInstance(api: Api, id: string, options: { json: boolean }): Promise<void> {
  printInstance(await api.json<Instance>('POST', `${instancePath(id)}/suspend`), options.json);
  say(`It is paused. Use it again: ./haic instance resume ${id}`);
}

export async function resumeInstance(api: Api, id: string, options: { json: boolean }): Promise<void> {
  printInstance(await api.json<Instance>('POST', `${instancePath(id)}/resume`), options.json);
  say(`It starts now. Watch it: ./haic instance logs -f ${id}`);
}

export async function updateInstance(
  api: Api,
  id: string,
  options: { visibility: string; json: boolean },
): Promise<void> {
  const { visibility } = options;
  printInstance(await api.json<Instance>('PATCH', instancePath(id), { json: { visibility } }), options.json);
}

const statusWords: Readonly<Record<string, string>> = {
  PENDING: 'Pending',
  STARTING: 'Starting',
  DEPLOYED: 'Deployed',
  FAILED: 'Failed',
  SUSPENDED: 'Paused',
  TERMINATING: 'Terminating',
};

/** The words that scripts know (app-store.md §3); `--json` has the API's own. */
const statusWord = (status: string): string => statusWords[status] ?? status;

function printInstance(instance: Instance, json: boolean): void {
  if (json) {
    print(JSON.stringify(instance, undefined, 2));
    return;
  }
  print(
    record([
      ['ID', instance.id],
      ['App', `${instance.app.title} ${instance.app.version}`],
      ['App ID', instance.app.id],
      ['Created At', instance.createdAt],
      ['Updated At', instance.updatedAt],
      ['Status', statusWord(instance.status)],
      ['Visibility', instance.visibility],
      ['URL', instance.url],
      ['Owner', instance.owner.username],
      ['Readonly', String(!instance.canManage)],
      ['Suspendable', String(instance.canManage)],
      ['Suspend After', instance.suspendAfter === 'never' ? 'never' : (instance.suspendAt ?? '')],
    ]),
  );
}

interface PodStatus {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly exitCode: number | null;
  readonly restartCount: number;
  readonly lastFailure: string | { readonly message: string } | null;
}

export async function instanceStatus(api: Api, id: string, options: { json: boolean }): Promise<void> {
  const pod = await api.json<PodStatus>('GET', `${instancePath(id)}/status`);
  if (options.json) return print(JSON.stringify(pod, undefined, 2));
  const lastFailure =
    typeof pod.lastFailure === 'string' ? pod.lastFailure : (pod.lastFailure?.message ?? '');
  print(
    record([
      ['Status', pod.status],
      ['Reason', pod.reason],
      ['Message', pod.message],
      ['Exit Code', pod.exitCode === null ? '' : String(pod.exitCode)],
      ['Restart Count', String(pod.restartCount)],
      ['Last Failure', lastFailure],
    ]),
  );
}

export async function instanceLogs(
  api: Api,
  id: string,
  options: { follow: boolean; previous: boolean; tail: string | undefined },
): Promise<void> {
  const query = new URLSearchParams();
  if (options.follow) query.set('follow', 'true');
  if (options.previous) query.set('previous', 'true');
  if (options.tail !== undefined) query.set('tail', options.tail);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const stream = await api.stream(`${instancePath(id)}/logs?${query}`, stop.signal);
  try {
    for await (const chunk of stream) process.stdout.write(chunk);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

export async function terminateInstance(api: Api, id: string): Promise<void> {
  await api.json('DELETE', instancePath(id));
  say(`Instance ${id} is terminated.`);
}
