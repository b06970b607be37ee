import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { callApi, importBundle, runApp } from '../test/support/api.ts';
import type { Haic } from '../test/support/haic.ts';
import { writeSmallBundle } from './haic.ts';
import { makePeople, type Person as SignedIn } from './people.ts';
import { memoryOf } from './processes.ts';
import { atMost, median, type Row, spread } from './rows.ts';
import { type Sockets, startSockets } from './sockets.ts';

const people = 150;
const atOnce = 50;
const startWithinMs = 300_000;
/** How often everybody's page asks for its instance. */
const askEveryMs = 2_000;
const quietMs = 30_000;

interface Person extends SignedIn {
  instanceId: string;
  /** Milliseconds from asking for the instance until it was DEPLOYED. */
  started: number;
}

/** Row 13: everybody's instance is started, fifty at once, while those who have theirs go on using the API and keep a WebSocket open. */
export async function rehearsalRows(haic: Haic): Promise<readonly Row[]> {
  const admin = await haic.accessToken(haic.admin.username);
  const app = await importBundle(haic, admin, await writeSmallBundle(haic, 'rehearsal'), 'ALL_USERS');
  process.stderr.write(`Rehearsing with ${people} people …\n`);
  const everybody = (await makePeople(haic, people)).map(
    (person): Person => ({ ...person, instanceId: '', started: 0 }),
  );
  const latencies: number[] = [];
  const failed: string[] = [];
  const over = new AbortController();
  const started: Person[] = [];
  const sockets = startSockets({ port: haic.port, path: '/socket', headers: {} });
  const using = useApi(haic, started, latencies, over.signal);
  try {
    for (let from = 0; from < people; from += atOnce) {
      const wave = everybody.slice(from, from + atOnce);
      const outcomes = await Promise.allSettled(
        wave.map((person) => startFor(haic, person, app.id, latencies, sockets)),
      );
      for (const [index, outcome] of outcomes.entries()) {
        const person = wave[index];
        if (outcome.status === 'rejected') failed.push(String(outcome.reason));
        else if (person !== undefined) started.push(person);
      }
    }
    await pause(quietMs);
    const launchers = await launcherMemory(haic);
    return rowsOf({ failed, latencies, launchers, started, lost: await sockets.lost() });
  } finally {
    over.abort();
    await using;
    sockets.stop();
    const running = everybody.filter((person) => person.instanceId !== '');
    for (const person of running)
      await callApi(haic, await person.token(), 'DELETE', `/api/v1/instances/${person.instanceId}`);
  }
}

function rowsOf(seen: {
  failed: readonly string[];
  latencies: number[];
  launchers: readonly number[];
  lost: number;
  started: readonly Person[];
}): readonly Row[] {
  const sorted = seen.latencies.toSorted((a, b) => a - b);
  const p95 = sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN;
  const took = seen.started.map((person) => person.started / 1000);
  const shared = { peer: "Coder's pass rule", theirs: null };
  const problem = seen.failed[0] === undefined ? '' : `; the first: ${seen.failed[0].slice(0, 200)}`;
  const share = seen.started.length === 0 ? 100 : (seen.lost / seen.started.length) * 100;
  return [
    atMost(
      {
        ...shared,
        id: '13',
        name: `failed starts of ${people}, ${atOnce} at once`,
        unit: '',
        ours: seen.failed.length,
        note: `until DEPLOYED: ${spread(took)} s, median ${median(took).toFixed(1)}${problem}`,
      },
      0,
    ),
    atMost(
      {
        ...shared,
        id: '13.api',
        name: 'API meanwhile, p95',
        unit: 'ms',
        ours: p95,
        note: `of ${sorted.length} requests`,
      },
      300,
    ),
    atMost(
      {
        ...shared,
        id: '13.disconnects',
        name: 'WebSockets lost',
        unit: '%',
        ours: share,
        note: `of ${seen.started.length}`,
      },
      1,
    ),
    atMost(
      {
        ...shared,
        id: '13.launcher',
        name: 'launcher, PSS, each',
        unit: 'MB',
        ours: seen.launchers.length === 0 ? null : median(seen.launchers),
        note: `of ${seen.launchers.length}: ${spread(seen.launchers)}`,
      },
      65,
    ),
  ];
}

async function startFor(
  haic: Haic,
  person: Person,
  appId: string,
  latencies: number[],
  sockets: Sockets,
): Promise<void> {
  const from = performance.now();
  const token = await person.token();
  const { id } = await timed(latencies, () => runApp(haic, token, appId));
  person.instanceId = id;
  for (;;) {
    await pause(1_000);
    const { status, reason } = await instanceOf(haic, person, latencies);
    if (status === 'DEPLOYED') break;
    if (status === 'FAILED') throw new Error(`${person.username}: FAILED, ${reason}`);
    if (performance.now() - from > startWithinMs) throw new Error(`${person.username}: still ${status}`);
  }
  person.started = performance.now() - from;
  const host = `${id}.localhost:${haic.port}`;
  const headers = { host, authorization: `Bearer ${await person.token()}` };
  if ((await sockets.open(1, headers)) !== 1) throw new Error(`${person.username}: no WebSocket`);
}

async function instanceOf(haic: Haic, person: Person, latencies: number[]) {
  const token = await person.token();
  const { status, body } = await timed(latencies, () =>
    callApi<{ status: string; reason: string }>(haic, token, 'GET', `/api/v1/instances/${person.instanceId}`),
  );
  if (status !== 200) throw new Error(`${person.username}: the API answered ${status}`);
  return body;
}

async function timed<T>(latencies: number[], call: () => Promise<T>): Promise<T> {
  const from = performance.now();
  try {
    return await call();
  } finally {
    latencies.push(performance.now() - from);
  }
}

/** Everybody's page asks for their instance now and then, spread over time. */
async function useApi(
  haic: Haic,
  started: readonly Person[],
  latencies: number[],
  over: AbortSignal,
): Promise<void> {
  for (let at = 0; !over.aborted; at += 1) {
    await pause(askEveryMs / people);
    const person = started[at % people];
    if (person !== undefined) await instanceOf(haic, person, latencies).catch(() => undefined);
  }
}

/** PSS of every process of this Haic that is a launcher, in MB. */
async function launcherMemory(haic: Haic): Promise<readonly number[]> {
  const found: number[] = [];
  const assets = path.basename(haic.home);
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const words = (await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (!/node$/.test(words[0] ?? '') || !words.some((word) => word.endsWith('launcher.mjs'))) continue;
    const environment = await readFile(`/proc/${entry}/environ`, 'utf8').catch(() => '');
    if (!environment.includes('HAIC_LAUNCHER_CONFIG')) continue;
    const mounts = await readFile(`/proc/${entry}/mountinfo`, 'utf8').catch(() => '');
    // Another Haic of this machine may be at work, too.
    if (!mounts.includes(assets)) continue;
    const memory = await memoryOf(Number(entry)).catch(() => undefined);
    if (memory !== undefined) found.push(memory.pss);
  }
  return found;
}
