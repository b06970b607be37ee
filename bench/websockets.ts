import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { memoryOf } from './processes.ts';
import { atMost, type Row, unmeasured } from './rows.ts';
import { type SocketOptions, startSockets } from './sockets.ts';

const idle = 10_000;
const churned = 60_000;
/** What collecting garbage in idle time and waiting for the last closes takes. */
const settleMs = 10_000;
/** What a proxy has open besides, two for each WebSocket coming on top. */
const descriptorsBesides = 1_000;

/** Raises the limit of open files for this process and all that it starts from here on, where it may. */
export function allowManyDescriptors(): void {
  spawnSync('prlimit', [`--pid=${process.pid}`, '--nofile=65536:65536']);
}

interface Proxy {
  readonly pid: number;
  readonly target: SocketOptions;
}

interface Taken {
  readonly held: number;
  readonly kilobytesEach: number;
  readonly descriptorsLeft: number;
  readonly megabytesLeft: number;
}

/** Row 4: what idle WebSockets cost a proxy, and what so many that came and went leave behind in it. */
export async function websocketRows(ours: Proxy, theirs: Proxy | string): Promise<readonly Row[]> {
  const measured = await take(ours);
  const other = typeof theirs === 'string' ? theirs : await take(theirs).catch((error) => String(error));
  const theirFigure = (of: keyof Taken) => (typeof other === 'string' ? null : other[of]);
  const held = `${measured.held.toLocaleString('en')} held at once`;
  const fewer = measured.held < idle ? ', as many as the limit of open files lets one process have here' : '';
  const note = `${held}${fewer}${typeof other === 'string' ? `; theirs could not be had: ${other}` : ''}`;
  const shared = { peer: 'configurable-http-proxy 5.3.0', note };
  const row = (id: string, name: string, of: keyof Taken, unit: string) => ({
    ...shared,
    id,
    name,
    unit,
    ours: measured[of],
    theirs: theirFigure(of),
  });
  const after = `after ${churned.toLocaleString('en')} opened and closed`;
  return [
    atMost(row('4', 'idle WebSockets, memory each', 'kilobytesEach', 'KB'), 15),
    atMost(row('4.descriptors', `descriptors more than before, ${after}`, 'descriptorsLeft', 'fds'), 10),
    atMost(row('4.memory', `memory more than before, ${after}`, 'megabytesLeft', 'MB'), 32),
  ];
}

async function take(proxy: Proxy): Promise<Taken> {
  const held = Math.min(idle, Math.floor(((await descriptorLimit(proxy.pid)) - descriptorsBesides) / 2));
  const sockets = startSockets(proxy.target);
  try {
    // What the first ones make it load and compile is no cost of the others.
    await expectAll(sockets.churn(2_000), 2_000);
    await pause(settleMs);
    const before = { memory: await memoryOf(proxy.pid), descriptors: await descriptorsOf(proxy.pid) };
    await expectAll(sockets.open(held), held);
    await pause(settleMs);
    const full = await memoryOf(proxy.pid);
    const lost = await sockets.lost();
    if (lost > 0) throw new Error(`${lost} of ${held} idle WebSockets were closed.`);
    await sockets.closeAll();
    // What was in use at the fullest is kept for the next time; what grows with every one that came and went is a leak.
    await expectAll(sockets.churn(10_000), 10_000);
    await pause(settleMs);
    const emptied = await memoryOf(proxy.pid);
    await expectAll(sockets.churn(churned), churned);
    await pause(settleMs);
    return {
      held,
      kilobytesEach: ((full.rss - before.memory.rss) * 1024) / held,
      descriptorsLeft: (await descriptorsOf(proxy.pid)) - before.descriptors,
      megabytesLeft: (await memoryOf(proxy.pid)).rss - emptied.rss,
    };
  } finally {
    sockets.stop();
  }
}

async function expectAll(opened: Promise<number>, wanted: number): Promise<void> {
  const count = await opened;
  if (count !== wanted) throw new Error(`Only ${count} of ${wanted} WebSockets could be opened.`);
}

const descriptorsOf = async (pid: number): Promise<number> => (await readdir(`/proc/${pid}/fd`)).length;

async function descriptorLimit(pid: number): Promise<number> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8');
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0);
}

export const websocketsUnmeasured = (why: string): Row => unmeasured('4', 'idle WebSockets', why);
