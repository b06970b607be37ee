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
    i.status,
    i.visibility,
  ]);
  print(table(['ID', 'TITLE', 'OWNER', 'CREATED', 'STATUS', 'VISIBILITY'], rows));
}

export async function getInstance(api: Api, id: string, options: { json: boolean }): Promise<void> {
  const instance = await api.json<Instance>('GET', instancePath(id));
  if (options.json) return print(JSON.stringify(instance, undefined, 2));
  print(
    record([
      ['ID', instance.id],
      ['App', `${instance.app.title} ${instance.app.version}`],
      ['App ID', instance.app.id],
      ['Created At', instance.createdAt],
      ['Status', instance.status],
      ['Visibility', instance.visibility],
      ['URL', instance.url],
      ['Owner', instance.owner.username],
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
