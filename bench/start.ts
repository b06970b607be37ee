import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '@haic/kit/errors.ts';
import { callApi, importBundle, runApp } from '../test/support/api.ts';
import { bundleSample, type Haic, startHaic } from '../test/support/haic.ts';
import { pidOf } from './haic.ts';
import { benchInstall } from './install.ts';
import { type Hub, prepareHub } from './jupyterhub.ts';
import { memoryOf, treeOf } from './processes.ts';
import { atMost, compare, median, type Row, spread, table, unmeasured } from './rows.ts';

const rounds = 5;
const hubName = 'JupyterHub 6.1';

/** Rows 5, 6 and 8: starting apps, environments and the platform itself. */
export async function benchStart(): Promise<readonly Row[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-bench-'));
  const haic = await startHaic();
  try {
    const hub = await prepareHub(directory).catch(messageOf);
    const parts: readonly [string, string, () => Promise<readonly Row[]>][] = [
      ['8.memory', 'idle memory', () => memoryRows(haic)],
      ['6', 'environment, cold', () => benchInstall(directory)],
      ['8', "the platform's start", async () => [await bootRow(haic, hub)]],
      ['5', 'app start', () => appStartRows(haic, hub)],
    ];
    const rows: Row[] = [];
    for (const [id, name, measure] of parts) {
      // One that fails takes none of the others with it.
      const measured = await measure().catch((error: unknown) => [unmeasured(id, name, messageOf(error))]);
      // Shown as soon as they are known: the whole takes long.
      process.stderr.write(`${table(measured)}\n\n`);
      rows.push(...measured);
    }
    return rows;
  } finally {
    await haic.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Row 8: `up --detach` of an installation that is there, until all is healthy, against a JupyterHub until its API answers. */
async function bootRow(haic: Haic, hub: Hub | string): Promise<Row> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round += 1) {
    await haic.run(['down']);
    const mine = await seconds(() => haic.up());
    const other = typeof hub === 'string' ? undefined : await bootOf(hub);
    if (round === 0) continue;
    ours.push(mine);
    if (other !== undefined) theirs.push(other);
  }
  const figures = { ours: median(ours), theirs: theirs.length === 0 ? null : median(theirs) };
  const note =
    typeof hub === 'string' ? missing(hub) : `the database's start included; ${between(ours, theirs)}`;
  return compare(
    {
      id: '8',
      name: '`haic up --detach`, second time, until healthy',
      peer: hubName,
      unit: 's',
      ...figures,
      note,
    },
    1,
  );
}

async function bootOf(hub: Hub): Promise<number> {
  const from = performance.now();
  const started = await hub.start();
  const taken = (performance.now() - from) / 1000;
  await started.stop();
  return taken;
}

/** Row 5: from asking for an instance to the first byte of the app itself, through the router, with everything cached. */
async function appStartRows(haic: Haic, hub: Hub | string): Promise<readonly Row[]> {
  const token = await haic.accessToken(haic.admin.username);
  const app = await importBundle(haic, token, await bundleSample(haic, 'hello'));
  const [ours, theirs]: [number[], number[]] = [[], []];
  const running = typeof hub === 'string' ? undefined : await hub.start();
  try {
    // The first round fills the caches of both sides.
    for (let round = 0; round <= rounds; round += 1) {
      const mine = await startOf(haic, token, app.id);
      const other = typeof hub === 'string' ? undefined : await hub.spawn('bench');
      if (typeof hub !== 'string') await hub.stopServer('bench');
      if (round === 0) continue;
      ours.push(mine / 1000);
      if (other !== undefined) theirs.push(other / 1000);
    }
  } finally {
    await running?.stop();
  }
  const figures = { ours: median(ours), theirs: theirs.length === 0 ? null : median(theirs) };
  const note =
    typeof hub === 'string'
      ? missing(hub)
      : `the Wave sample hello, waved included, against a JupyterLab server; ${between(ours, theirs)}`;
  return [
    compare(
      {
        id: '5',
        name: 'app start, cached, to first byte',
        peer: `${hubName} spawn`,
        unit: 's',
        ...figures,
        note,
      },
      0.5,
    ),
    {
      ...atMost(
        {
          id: '5.prewarmed',
          name: 'app start, pre-warmed, p95',
          peer: '-',
          unit: 'ms',
          ours: null,
          theirs: null,
        },
        100,
      ),
      note: 'could not be measured: apps are not pre-warmed yet',
    },
  ];
}

async function startOf(haic: Haic, token: string, appId: string): Promise<number> {
  const from = performance.now();
  const { id } = await runApp(haic, token, appId);
  try {
    while (performance.now() - from < 300_000) {
      const response = await fetch(`${haic.url}/instance/${id}/`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const body = await response.text();
      // Until the app is ready this is the status page, on which waved's page element is not.
      if (response.status === 200 && body.includes('id="wave-root"')) return performance.now() - from;
      await pause(20);
    }
    throw new Error('The app never answered.');
  } finally {
    await callApi(haic, token, 'DELETE', `/api/v1/instances/${id}`);
  }
}

/** Row 8, memory: Haic's own processes with nothing running. */
async function memoryRows(haic: Haic): Promise<readonly Row[]> {
  // What starting left behind is given back within some garbage collections; people read idle memory later than that.
  await pause(15_000);
  const sums = { pss: 0, rss: 0 };
  const parts: string[] = [];
  for (const name of ['supervisor', 'router', 'drive', 'core']) {
    const { pss, rss } = await memoryOf(await pidOf(haic, name));
    sums.pss += pss;
    sums.rss += rss;
    parts.push(`${name} ${pss.toFixed(0)}/${rss.toFixed(0)}`);
  }
  const installer = await installerMemory(haic);
  const memory = { peer: '-', unit: 'MB', theirs: null };
  const note = `PSS/RSS: ${parts.join(', ')}; besides: ${installer}`;
  return [
    atMost({ id: '8.memory', name: 'idle memory, own processes, PSS', ...memory, ours: sums.pss, note }, 350),
    atMost({ id: '8.rss', name: 'idle memory, own processes, RSS', ...memory, ours: sums.rss }, 350),
  ];
}

/** The installer is a workload: found among what descends from Haic's processes, by its program. */
async function installerMemory(haic: Haic): Promise<string> {
  const sums = { pss: 0, rss: 0 };
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const words = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (!words.includes('installer.mjs')) continue;
    const environment = await readFile(`/proc/${entry}/environ`, 'utf8').catch(() => '');
    if (!environment.includes(haic.environment.HAIC_ENVIRONMENTS_DIR ?? 'none')) continue;
    for (const pid of await treeOf(Number(entry))) {
      const memory = await memoryOf(pid).catch(() => undefined);
      sums.pss += memory?.pss ?? 0;
      sums.rss += memory?.rss ?? 0;
    }
    break;
  }
  return `installer ${sums.pss.toFixed(0)}/${sums.rss.toFixed(0)}`;
}

const missing = (why: string): string => `could not be had: ${why}`;
const between = (ours: readonly number[], theirs: readonly number[]): string =>
  `rounds: ours ${spread(ours)}, theirs ${spread(theirs)}`;

async function seconds(work: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}
