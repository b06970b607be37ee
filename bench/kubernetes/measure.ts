import { request } from 'node:http';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { deadline, until } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { pidOf } from '../haic.ts';
import { type LoadOptions, type LoadResult, load } from '../load.ts';
import type { Person } from '../people.ts';
import { cpuSeconds, memoryOf, treeOf } from '../processes.ts';
import { median } from '../rows.ts';
import type { World } from './world.ts';

/** Of a request: milliseconds, and of CPU of router and core together. */
interface Asked {
  readonly p50: number;
  readonly p99: number;
  readonly cpu: number;
  readonly failures: number;
}

/** What was seen with so many instances. */
export interface Figures {
  readonly instances: number;
  /** Who one is: what any request to core costs on this machine just then, whatever else it does. */
  readonly plain: Asked;
  /** One's own, by somebody who has a handful, at each size the same. */
  readonly listOwn: Asked;
  /** The first hundred of all, by an administrator. */
  readonly listAll: Asked;
  readonly get: Asked;
  /** A request to an app, through the router. */
  readonly open: Asked;
  /** Milliseconds from a change past Haic until the router knows. */
  readonly change: number;
  /** Milliseconds from click to DEPLOYED, and of that until the release is made; the rest is the cluster's. */
  readonly start: number;
  readonly made: number;
  /** CPU seconds of core and `helm` for one start. */
  readonly startCpu: number;
  readonly burst: {
    readonly failed: readonly string[];
    readonly doubles: number;
    readonly seconds: number;
    /** MB: the most that core and its `helm` processes had at once. */
    readonly memory: number;
  };
  /** MB. */
  readonly memory: { readonly core: number; readonly router: number };
  readonly restart: {
    /** Milliseconds from the kill of core until it lists all. */
    readonly listed: number;
    readonly cpu: number;
    /** What requests to apps that failed meanwhile were answered. */
    readonly failures: readonly string[];
  };
  /** Milliseconds of CPU a second while nobody asks anything. */
  readonly idle: number;
}

const requestsARound = 200;
const rounds = 5;
const idleMs = 20_000;

export async function measure(
  world: World,
  options: { atOnce: number; round: number; tell: (text: string) => void },
): Promise<Figures> {
  const { haic } = world;
  const { tell } = options;
  const core = () => pidOf(haic, 'core');
  await untilQuiet(core);
  const instances = (await world.instanceIds()).length;
  const [id] = await world.idsOf(world.asker);
  if (id === undefined) throw new Error('There is no instance to ask.');
  const memory = {
    core: (await memoryOf(await core())).pss,
    router: (await memoryOf(await pidOf(haic, 'router'))).pss,
  };
  tell(`${instances} instances: requests …`);
  const asked = await askInTurn(world, async () => {
    const own = await headersOf(world);
    const admin = { ...own, authorization: `Bearer ${await world.adminToken()}` };
    return {
      plain: { path: '/api/v1/me', headers: own },
      listOwn: { path: '/api/v1/instances', headers: own },
      listAll: { path: '/api/v1/instances?all=true&pageSize=100', headers: admin },
      get: { path: `/api/v1/instances/${id}`, headers: own },
      open: { path: '/', headers: await headersOf(world, `${id}.`) },
    };
  });
  tell('… idle …');
  const idle = await cpuOf(core, () => pause(idleMs));
  tell('… changes past Haic …');
  const change = await changes(world, id);
  tell('… starts …');
  const starts: number[] = [];
  const mades: number[] = [];
  const startCpu = await cpuOf(core, async () => {
    for (let n = 0; n < rounds; n += 1) {
      const from = performance.now();
      mades.push(await world.start(personAt(world, options.round * rounds + n)));
      starts.push(performance.now() - from);
    }
  });
  tell(`… ${options.atOnce} starts at once …`);
  const burst = await startAtOnce(world, options);
  tell('… core killed …');
  await untilQuiet(core);
  const restart = await restarted(world, id, core);
  return {
    instances,
    ...asked,
    ...{ change, memory, burst, restart },
    start: median(starts),
    made: median(mades),
    startCpu: startCpu / rounds,
    idle: (idle / idleMs) * 1_000_000,
  };
}

function personAt({ people }: World, index: number): Person {
  const person = people[index % people.length];
  if (person === undefined) throw new Error('There is nobody.');
  return person;
}

/** What the cluster still tells of what happened before is no part of what is measured next. */
async function untilQuiet(core: () => Promise<number>): Promise<void> {
  const quiet = async () => ((await cpuOf(core, () => pause(3_000))) < 0.03 ? true : undefined);
  await until(quiet, { everyMs: 1_000, signal: deadline(180_000) }).catch(() => {});
}

async function cpuOf(core: () => Promise<number>, work: () => Promise<unknown>): Promise<number> {
  const before = await cpuSeconds(await core());
  await work();
  return (await cpuSeconds(await core())) - before;
}

type Target = Pick<LoadOptions, 'path' | 'headers'>;

/** A round of each, again and again: what else the machine does meets all of them. The first round only warms up. */
async function askInTurn<Name extends string>(
  { haic }: World,
  targetsNow: () => Promise<Readonly<Record<Name, Target>>>,
): Promise<Readonly<Record<Name, Asked>>> {
  const pids = [await pidOf(haic, 'router'), await pidOf(haic, 'core')];
  const all = async () => (await Promise.all(pids.map(cpuSeconds))).reduce((sum, one) => sum + one, 0);
  const seen = new Map<Name, (LoadResult & { readonly cpu: number })[]>();
  for (let round = 0; round <= rounds; round += 1)
    for (const [name, target] of Object.entries(await targetsNow()) as [Name, Target][]) {
      const before = await all();
      const result = await load({
        ...{ port: haic.port, connections: 1, requests: requestsARound },
        ...target,
      });
      const cpu = (((await all()) - before) / requestsARound) * 1000;
      if (round > 0) seen.set(name, [...(seen.get(name) ?? []), { ...result, cpu }]);
    }
  const entries = [...seen].map(([name, results]) => {
    const middle = (figure: (result: (typeof results)[number]) => number) => median(results.map(figure));
    const failures = results.reduce((sum, result) => sum + result.failures, 0);
    const figures = { p50: middle(({ p50 }) => p50), p99: middle(({ p99 }) => p99), failures };
    // Ticks of the clock are coarse: of all rounds together.
    const cpu = results.reduce((sum, result) => sum + result.cpu, 0) / results.length;
    return [name, { ...figures, cpu }] as const;
  });
  return Object.fromEntries(entries) as Record<Name, Asked>;
}

/** Scaled to nothing and back by whoever has the rights: until the router leads there no more, and does again. */
async function changes(world: World, id: string): Promise<number> {
  const took: number[] = [];
  for (let n = 0; n < rounds; n += 1)
    for (const replicas of [0, 1] as const) {
      const from = performance.now();
      await world.scale(id, replicas);
      let answer = 'nothing';
      const isKnown = async () => {
        answer = await ask(world, id);
        return (answer === opened) === (replicas === 1) ? true : undefined;
      };
      await until(isKnown, { everyMs: 2, signal: deadline(60_000) }).catch((cause: unknown) => {
        throw new Error(`Scaled to ${replicas}, the app went on answering ${answer}.`, { cause });
      });
      if (replicas === 0) took.push(performance.now() - from);
    }
  return median(took);
}

const opened = '200';

/** Of the asker, with a token that lasts: on a busy machine what is measured takes longer than one does. */
async function headersOf({ haic, asker }: World, subdomain = ''): Promise<Record<string, string>> {
  return { host: `${subdomain}localhost:${haic.port}`, authorization: `Bearer ${await asker.token()}` };
}

/** Asks the app, by the name of its host, which is nobody's but the router's. Resolves with the status, and what was said instead of the app. */
async function ask(world: World, id: string): Promise<string> {
  return askWith(world, await headersOf(world, `${id}.`));
}

function askWith({ haic }: World, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port: haic.port, path: '/', headers, timeout: 10_000 });
    asked.once('timeout', () => asked.destroy(new Error('nothing for 10 s')));
    asked.once('error', (error) => resolve(messageOf(error)));
    asked.once('response', async (answer) => {
      const body = await text(answer).catch(messageOf);
      resolve(answer.statusCode === 200 ? opened : `${answer.statusCode} ${body}`);
    });
    asked.end();
  });
}

async function startAtOnce(
  world: World,
  { atOnce, round }: { atOnce: number; round: number },
): Promise<Figures['burst']> {
  const before = (await world.instanceIds()).length;
  const from = performance.now();
  const who = Array.from({ length: atOnce }, (_, n) => personAt(world, round * atOnce + n));
  const over = new AbortController();
  const most = mostMemory(world, over.signal);
  const outcomes = await Promise.allSettled(who.map((person) => world.start(person)));
  const seconds = (performance.now() - from) / 1000;
  over.abort();
  const failed = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [String(outcome.reason)] : [],
  );
  const now = (await world.instanceIds()).length;
  return { failed, seconds, memory: await most, doubles: now - before - (atOnce - failed.length) };
}

async function mostMemory(world: World, over: AbortSignal): Promise<number> {
  const core = await pidOf(world.haic, 'core');
  let most = 0;
  while (!over.aborted) {
    const each = (await treeOf(core)).map((pid) => memoryOf(pid).catch(() => ({ pss: 0 })));
    most = Math.max(
      most,
      (await Promise.all(each)).reduce((sum, { pss }) => sum + pss, 0),
    );
    await pause(250);
  }
  return most;
}

async function restarted(world: World, id: string, core: () => Promise<number>): Promise<Figures['restart']> {
  const count = await world.deployed();
  const before = await core();
  const over = new AbortController();
  const failures: string[] = [];
  let headers = await headersOf(world, `${id}.`);
  const using = (async () => {
    while (!over.signal.aborted) {
      const answer = await askWith(world, headers);
      if (answer !== opened) failures.push(answer);
      // Core gives no tokens while it is away.
      headers = await headersOf(world, `${id}.`).catch(() => headers);
      await pause(20);
    }
  })();
  const from = performance.now();
  process.kill(before, 'SIGKILL');
  // To be asked for thousands while it comes back would be work for it: they are counted when it answers, and the question is what counts.
  const listed = await until(
    async () => {
      const asked = performance.now() - from;
      if (!(await world.lists().catch(() => false))) return undefined;
      return (await world.deployed().catch(() => 0)) === count ? asked : undefined;
    },
    { everyMs: 20, signal: deadline(180_000) },
  );
  await untilQuiet(core);
  over.abort();
  await using;
  return { listed, failures, cpu: await cpuSeconds(await core()) };
}
