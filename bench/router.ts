import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { messageOf } from '@haic/kit/errors.ts';
import { callApi } from '../test/support/api.ts';
import { type Haic, startHaic } from '../test/support/haic.ts';
import { pidOf, type SmallApp, startSmallApp } from './haic.ts';
import { type LoadOptions, load } from './load.ts';
import { cpuSeconds } from './processes.ts';
import { chpToken, type PeerProxy, proxyPeers } from './proxies.ts';
import { compare, median, type Row, spread } from './rows.ts';
import { allowManyDescriptors, websocketRows, websocketsUnmeasured } from './websockets.ts';

/** Even, so that each side comes early as often as late. */
const rounds = 6;
const requests = 8_000;
const connections = 32;

/** What is measured in each round: who answers, and what is asked of it. */
interface Contender {
  readonly pid: number;
  readonly target: Pick<LoadOptions, 'port' | 'path' | 'headers'>;
  /** Microseconds of CPU a request. */
  readonly cpu: number[];
  readonly p50: number[];
  readonly p99: number[];
}

/** Rows 1 to 4: the real router of a whole Haic, in front of a real instance, against proxies in front of the same server. */
export async function benchRouter(): Promise<readonly Row[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-bench-'));
  allowManyDescriptors();
  const haic = await startHaic();
  const peers = new Map<string, PeerProxy | string>();
  try {
    const token = await haic.accessToken(haic.admin.username);
    const app = await startSmallApp(haic, token, haic.admin.password, 'PRIVATE');
    const open = await startSmallApp(haic, token, haic.admin.password, 'PUBLIC');
    for (const [name, start] of Object.entries(proxyPeers))
      peers.set(name, await start({ directory, appPort: app.appPort }).catch(messageOf));
    const router = await pidOf(haic, 'router');
    const contenders = new Map<string, Contender>([
      ['ours', contender(router, target(haic, app, { cookie: app.cookie }))],
      ['public', contender(router, target(haic, open, {}))],
    ]);
    for (const [name, peer] of peers) {
      if (typeof peer === 'string') continue;
      const headers = { host: app.host, accept: '*/*', cookie: app.cookie };
      contenders.set(name, contender(peer.pid, { port: peer.port, path: '/', headers }));
    }
    await race(contenders);
    const rows = requestRows(contenders, peers);
    const chp = peers.get('chp');
    const change = await routeChangeRow(haic, token, open, chp ?? 'not installed');
    const sockets = await websockets(haic, router, app, chp ?? 'not installed');
    return [...rows, change, ...sockets];
  } finally {
    for (const peer of peers.values()) if (typeof peer !== 'string') await peer.stop();
    await haic.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Row 4, whose failure takes none of the others with it. */
function websockets(
  haic: Haic,
  router: number,
  app: SmallApp,
  peer: PeerProxy | string,
): Promise<readonly Row[]> {
  const origin = `http://${app.host}`;
  const asked = (port: number) => ({
    port,
    path: '/socket',
    headers: { host: app.host, origin, cookie: app.cookie },
  });
  const theirs = typeof peer === 'string' ? peer : { pid: peer.pid, target: asked(peer.port) };
  return websocketRows({ pid: router, target: asked(haic.port) }, theirs).catch((error: unknown) => [
    websocketsUnmeasured(messageOf(error)),
  ]);
}

const contender = (pid: number, asked: Contender['target']): Contender => ({
  pid,
  target: asked,
  cpu: [],
  p50: [],
  p99: [],
});

const target = (haic: Haic, app: SmallApp, headers: Record<string, string>): Contender['target'] => ({
  port: haic.port,
  path: '/',
  headers: { host: app.host, accept: '*/*', ...headers },
});

/**
 * Each in turn, round after round and every other one backwards, so that neither what else the machine does nor coming first falls on one
 * alone. The first round only warms up.
 */
async function race(contenders: ReadonlyMap<string, Contender>): Promise<void> {
  for (let round = 0; round <= rounds; round += 1) {
    const inTurn = round % 2 === 0 ? [...contenders] : [...contenders].toReversed();
    for (const [name, { pid, target, cpu, p50, p99 }] of inTurn) {
      const before = await cpuSeconds(pid);
      const result = await load({ ...target, connections, requests });
      const spent = (await cpuSeconds(pid)) - before;
      if (result.failures > 0)
        throw new Error(`${result.failures} of ${requests} requests to ${name} failed.`);
      if (round === 0) continue;
      cpu.push((spent / result.requests) * 1e6);
      p50.push(result.p50);
      p99.push(result.p99);
    }
  }
}

function requestRows(
  contenders: ReadonlyMap<string, Contender>,
  peers: ReadonlyMap<string, PeerProxy | string>,
): readonly Row[] {
  const cpu = (name: string) => contenders.get(name)?.cpu ?? [];
  const figure = (name: string) => (cpu(name).length === 0 ? null : median(cpu(name)));
  const against = (name: string, fallback: string) => {
    const peer = peers.get(name);
    return typeof peer === 'object'
      ? { peer: peer.name, note: `rounds: ours ${spread(cpu('ours'))}, theirs ${spread(cpu(name))}` }
      : { peer: fallback, note: `could not be had: ${peer ?? 'unknown'}` };
  };
  const request = { name: 'request, authorised, CPU', unit: 'µs', ours: figure('ours') };
  const latency = (name: string, of: 'p50' | 'p99') => {
    const values = contenders.get(name)?.[of];
    return values === undefined ? null : median(values);
  };
  const chp = against('chp', 'configurable-http-proxy');
  return [
    compare({ id: '1', ...request, ...chp, theirs: figure('chp') }, 0.33),
    compare({ id: '1.caddy', ...request, ...against('caddy', 'Caddy'), theirs: figure('caddy') }, 1),
    compare({ id: '1.nginx', ...request, ...against('nginx', 'nginx'), theirs: figure('nginx') }, undefined),
    compare(
      {
        id: '1.p99',
        name: `request, p99, ${connections} connections`,
        peer: chp.peer,
        unit: 'ms',
        ours: latency('ours', 'p99'),
        theirs: latency('chp', 'p99'),
        note: `p50: ours ${latency('ours', 'p50')?.toFixed(2)}, theirs ${latency('chp', 'p50')?.toFixed(2)} ms; each as fast as it can, so the load differs`,
      },
      1,
    ),
    compare(
      {
        id: '2',
        name: 'authorisation, CPU',
        peer: 'the same router, PUBLIC app, no cookie',
        unit: 'µs',
        ours: figure('ours'),
        theirs: figure('public'),
        note: `PRIVATE with a session cookie against PUBLIC without: also what sorting the cookies out costs; rounds: with ${spread(cpu('ours'))}, without ${spread(cpu('public'))}`,
      },
      1.15,
    ),
  ];
}

/**
 * Row 3: from the answer to the change until the first request that sees it has its answer. Ours: the visibility of an instance, told
 * by the scheduler's watch; theirs: a route added by the proxy's own API.
 */
async function routeChangeRow(
  haic: Haic,
  token: string,
  app: SmallApp,
  peer: PeerProxy | string,
): Promise<Row> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  const row = { id: '3', name: 'route change until live, p50', unit: 'ms' };
  for (let round = 0; round < 20; round += 1) {
    const visibility = round % 2 === 0 ? 'PRIVATE' : 'PUBLIC';
    const changed = await callApi(haic, token, 'PATCH', `/api/v1/instances/${app.instanceId}`, {
      visibility,
    });
    if (changed.status !== 200) throw new Error(`The change was answered with ${changed.status}.`);
    ours.push(await untilStatus(haic.port, app.host, '/', visibility === 'PUBLIC' ? 200 : 401));
    if (typeof peer === 'string') continue;
    const added = await fetch(`http://127.0.0.1:${peer.apiPort}/api/routes/round/${round}`, {
      method: 'POST',
      headers: { authorization: `token ${chpToken}` },
      // To nowhere, which the default target is not.
      body: JSON.stringify({ target: 'http://127.0.0.1:9' }),
    });
    if (added.status !== 201) throw new Error(`The peer's change was answered with ${added.status}.`);
    theirs.push(await untilStatus(peer.port, app.host, `/round/${round}/`, 503));
  }
  const figures = { ours: median(ours), theirs: theirs.length === 0 ? null : median(theirs) };
  const note =
    typeof peer === 'string'
      ? `could not be had: ${peer}`
      : `the request that sees it included; rounds: ours ${spread(ours)}, theirs ${spread(theirs)}`;
  return {
    ...compare({ ...row, peer: 'configurable-http-proxy 5.3.0', ...figures, note }, undefined),
    goal: '<= 2 ms',
    met: figures.ours <= 2,
  };
}

async function untilStatus(port: number, host: string, path: string, wanted: number): Promise<number> {
  const from = performance.now();
  while (performance.now() - from < 10_000)
    if ((await statusOf(port, host, path)) === wanted) return performance.now() - from;
  throw new Error(`${host}${path} never answered ${wanted}.`);
}

/** Not by fetch: the names of instances' hosts are for browsers, the machine's resolver may not know them. */
const statusOf = (port: number, host: string, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, headers: { host }, setHost: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    call.once('error', reject);
    call.end();
  });
