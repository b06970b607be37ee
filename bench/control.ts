import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { messageOf } from '@haic/kit/errors.ts';
import { makeZip } from '@haic/launcher/testing/zip.ts';
import { callApi, runApp, waitForStatus } from '../test/support/api.ts';
import { type Haic, startHaic } from '../test/support/haic.ts';
import { auditRows } from './audit.ts';
import { gatewayRows } from './gateway.ts';
import { pidOf, smallBundle } from './haic.ts';
import { type Hub, prepareHub } from './jupyterhub.ts';
import { type LoadOptions, type LoadResult, load } from './load.ts';
import { cpuSeconds } from './processes.ts';
import { rehearsalRows } from './rehearsal.ts';
import { atLeast, atMost, compare, median, type Row, spread, table, unmeasured } from './rows.ts';
import { secretRows } from './secrets.ts';

const rounds = 5;
const many = 1_000;
const hubName = 'JupyterHub 6.1 `GET user`';

/** Room for a thousand of everything, asked for by few people, as fast as they can. */
const roomy = {
  HAIC_API_REQUESTS_PER_MINUTE: '0',
  HAIC_INSTANCE_LIMIT: '5000',
  HAIC_APP_VERSION_LIMIT: '100',
};

/** Rows 7 and 13: the control API of a whole Haic, through its router; and what services of protobuf shape pay for their gateway. */
export async function benchControl(): Promise<readonly Row[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-bench-'));
  const haic = await startHaic(roomy);
  try {
    const parts: readonly [string, string, () => Promise<readonly Row[]>][] = [
      ['13', 'rehearsal', () => rehearsalRows(haic)],
      ['7', 'control API', () => apiRows(haic, directory)],
      ['secrets', 'secure store', () => secretRows(haic)],
      ['audit', 'audit trail', () => auditRows(haic)],
      ['gateway', 'the gateway kit', gatewayRows],
    ];
    const rows: Row[] = [];
    for (const [id, name, measure] of parts) {
      const measured = await measure().catch((error: unknown) => [unmeasured(id, name, messageOf(error))]);
      process.stderr.write(`${table(measured)}\n\n`);
      rows.push(...measured);
    }
    return rows;
  } finally {
    await haic.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Side {
  readonly pids: readonly number[];
  readonly target: Pick<LoadOptions, 'port' | 'path' | 'headers'>;
  readonly p50: number[];
  readonly rate: number[];
  /** Milliseconds of CPU a request, of all processes that take part. */
  readonly cpu: number[];
}

async function apiRows(haic: Haic, directory: string): Promise<readonly Row[]> {
  const instanceId = await prepareThousand(haic);
  const token = await haic.accessToken(haic.admin.username);
  const headers = { host: `localhost:${haic.port}`, authorization: `Bearer ${token}` };
  const pids = [await pidOf(haic, 'router'), await pidOf(haic, 'core')];
  const ours = side(pids, { port: haic.port, path: `/api/v1/instances/${instanceId}`, headers });
  const hub = await prepareHub(directory).catch(messageOf);
  const rows = [...(await raceWith(hub, ours))];
  for (const [id, what, query] of [
    ['7.apps', 'apps', ''],
    ['7.instances', 'instances', '&all=true'],
  ] as const) {
    const asked = { ...ours.target, path: `/api/v1/${what}?pageSize=${many}${query}` };
    const answered = await callApi<{ items: unknown[] }>(haic, token, 'GET', asked.path);
    const found = answered.body.items?.length;
    const { p50, p99 } = await load({ ...asked, connections: 1, requests: 30 });
    rows.push({
      ...atMost(
        { id, name: `list ${found} ${what}, p50`, peer: '-', unit: 'ms', ours: p50, theirs: null },
        100,
      ),
      ...(found === many ? {} : { met: false }),
      note: `the slowest of 30: ${p99.toFixed(0)} ms; one SQL statement each, which a test counts`,
    });
  }
  return rows;
}

const side = (pids: readonly number[], target: Side['target']): Side => ({
  pids,
  target,
  p50: [],
  rate: [],
  cpu: [],
});

/** One instance against one user of a hub that runs beside it, in turn. The first round only warms up. */
async function raceWith(hub: Hub | string, ours: Side): Promise<readonly Row[]> {
  const running = typeof hub === 'string' ? undefined : await hub.start();
  try {
    const theirs =
      typeof hub === 'string' || running === undefined
        ? undefined
        : side([running.pid], await hub.userRequest('bench'));
    for (let round = 0; round <= rounds; round += 1) {
      await measure(ours, round > 0, 2_000);
      if (theirs !== undefined) await measure(theirs, round > 0, 300);
    }
    return oneRows(ours, theirs, typeof hub === 'string' ? `could not be had: ${hub}` : undefined);
  } finally {
    await running?.stop();
  }
}

async function measure(one: Side, counts: boolean, requests: number): Promise<void> {
  const alone = await load({ ...one.target, connections: 1, requests: requests / 4 });
  const before = await cpuOf(one.pids);
  const busy = await load({ ...one.target, connections: 8, requests });
  const spent = (await cpuOf(one.pids)) - before;
  for (const result of [alone, busy]) refuseFailures(result);
  if (!counts) return;
  one.p50.push(alone.p50);
  one.rate.push(busy.requests / busy.seconds);
  one.cpu.push((spent / busy.requests) * 1e3);
}

function refuseFailures({ failures, requests }: LoadResult): void {
  if (failures > 0) throw new Error(`${failures} of ${requests} requests failed.`);
}

async function cpuOf(pids: readonly number[]): Promise<number> {
  let sum = 0;
  for (const pid of pids) sum += await cpuSeconds(pid);
  return sum;
}

function oneRows(ours: Side, theirs: Side | undefined, missing: string | undefined): readonly Row[] {
  const row = (id: string, name: string, of: 'p50' | 'rate' | 'cpu', unit: string) => ({
    id,
    name: `get one instance, ${name}`,
    peer: hubName,
    unit,
    ours: median(ours[of]),
    theirs: theirs === undefined ? null : median(theirs[of]),
    note: missing ?? `rounds: ours ${spread(ours[of])}, theirs ${spread(theirs?.[of] ?? [])}`,
  });
  return [
    compare(row('7', 'p50 at c=1', 'p50', 'ms'), 0.33),
    atLeast(row('7.rate', 'at c=8', 'rate', '1/s'), 10),
    compare(row('7.cpu', 'CPU of all its processes at c=8', 'cpu', 'ms'), 0.33),
  ];
}

/**
 * A thousand apps, imported as people do, and a thousand paused instances: one that ran and was paused, and copies of its record in the
 * runtime's folder while the platform was down, which it takes over at its start like any other. Returns the id of one.
 */
async function prepareThousand(haic: Haic): Promise<string> {
  let token = await haic.accessToken(haic.admin.username);
  process.stderr.write(`Making ${many} apps and ${many} paused instances …\n`);
  const apps: string[] = [];
  for (let n = 0; n < many; n += 1) {
    // It lasts five minutes, and this may take longer on a busy machine.
    if (n % 200 === 0) token = await haic.accessToken(haic.admin.username);
    apps.push(await importSmall(haic, token, `many-${n}`));
  }
  const { id } = await runApp(haic, token, apps[0] ?? '');
  await waitForStatus(haic, token, id, 'DEPLOYED');
  await callApi(haic, token, 'POST', `/api/v1/instances/${id}/suspend`);
  await waitForStatus(haic, token, id, 'SUSPENDED');
  const { body } = await callApi<{ items: { id: string }[] }>(
    haic,
    token,
    'GET',
    '/api/v1/instances?all=true&pageSize=1000',
  );
  await haic.run(['down']);
  await copyInstance(haic, { id, appId: apps[0] ?? '', apps: apps.slice(0, many - body.items.length) });
  await haic.up();
  return id;
}

async function importSmall(haic: Haic, token: string, name: string): Promise<string> {
  const answer = await callApi<{ id: string }>(
    haic,
    token,
    'POST',
    '/api/v1/apps?visibility=PRIVATE',
    makeZip(await smallBundle(name)),
  );
  if (answer.status !== 201)
    throw new Error(`Import answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body.id;
}

async function copyInstance(
  haic: Haic,
  from: { id: string; appId: string; apps: readonly string[] },
): Promise<void> {
  const workloads = path.join(haic.home, 'runtime', 'workloads');
  for (const appId of from.apps) {
    const id = randomUUID();
    const target = path.join(workloads, `app-${id}`);
    await cp(path.join(workloads, `app-${from.id}`), target, { recursive: true });
    for (const name of await readdir(target)) {
      if (!name.endsWith('.json')) continue;
      const file = path.join(target, name);
      const text = (await readFile(file, 'utf8')).replaceAll(from.id, id).replaceAll(from.appId, appId);
      await writeFile(file, text);
    }
  }
}
