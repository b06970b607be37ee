import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { load } from './load.ts';
import { cpuSeconds, freePort, type Started, startServer } from './processes.ts';
import { compare, median, type Row, spread } from './rows.ts';

const rounds = 7;
const requests = 20_000;
const headers = { host: 'localhost', authorization: 'Bearer ada' };

const calls = [
  { id: 'gateway.get', name: 'GET a resource', target: { path: '/shelf/v1/workspaces/w/books/b' } },
  {
    id: 'gateway.post',
    name: 'POST a resource',
    target: {
      method: 'POST',
      path: '/shelf/v1/workspaces/w/books?bookId=c',
      body: JSON.stringify({
        ...{ name: '', title: 'The Castle', genre: 'GENRE_NOVEL', pageCount: 352, copiesSold: '900000' },
        ...{ lent: false, weight: 0.5, authors: ['Kafka', 'Brod'], annotations: { shelf: 'k', sign: '17' } },
        ...{
          createTime: '2026-01-31T12:00:00.000005Z',
          publisher: { displayName: 'Wolff', city: 'München', foundingTime: '1900-01-01T00:00:00Z' },
        },
      }),
    },
  },
] as const;

interface Side {
  readonly server: Started;
  readonly port: number;
  /** Microseconds of CPU a request, by round. */
  readonly cpu: number[];
}

/**
 * What the gateway kit costs: CPU a request, of one API on the same HTTP server with the same authentication, by the gateway and written by hand. In
 * turn; the first round only warms up.
 */
export async function gatewayRows(): Promise<readonly Row[]> {
  const sides: Side[] = [];
  try {
    for (const mode of ['gateway', 'plain']) sides.push(await start(mode));
    const [ours, theirs] = sides as [Side, Side];
    const rows: Row[] = [];
    for (const { id, name, target } of calls) {
      await refuseDifference(ours, theirs, target);
      for (const side of sides) side.cpu.length = 0;
      for (let round = 0; round <= rounds; round += 1)
        for (const side of round % 2 === 0 ? sides : sides.toReversed())
          await measure(side, target, round > 0);
      rows.push(
        compare(
          {
            ...{ id, name: `${name}, CPU`, peer: 'the same by hand on Fastify', unit: 'µs' },
            ...{ ours: median(ours.cpu), theirs: median(theirs.cpu) },
            note: `rounds: ours ${spread(ours.cpu)}, theirs ${spread(theirs.cpu)}; both authenticate, check what comes in, and answer the same`,
          },
          1.3,
        ),
      );
    }
    return rows;
  } finally {
    for (const { server } of sides) await server.stop();
  }
}

type Target = Pick<Parameters<typeof load>[0], 'path' | 'method' | 'body'>;

async function start(mode: string): Promise<Side> {
  const port = await freePort();
  const script = fileURLToPath(new URL('./gateway-server.ts', import.meta.url));
  const server = await startServer({
    command: process.execPath,
    args: [script, mode, String(port)],
    url: `http://127.0.0.1:${port}/healthz`,
    isUp: (status) => status === 200,
  });
  return { server, port, cpu: [] };
}

async function refuseDifference(one: Side, other: Side, target: Target): Promise<void> {
  const { method = 'GET', body = null, path } = target;
  const type: Record<string, string> = body === null ? {} : { 'content-type': 'application/json' };
  const ask = async ({ port }: Side): Promise<unknown> => {
    const asked = { method, body, headers: { ...headers, ...type } };
    return (await fetch(`http://127.0.0.1:${port}${path}`, asked)).json();
  };
  assert.deepEqual(await ask(one), await ask(other), 'The two sides do not answer the same.');
}

async function measure({ server, port, cpu }: Side, target: Target, counts: boolean): Promise<void> {
  const before = await cpuSeconds(server.pid);
  const { failures } = await load({ port, headers, connections: 8, requests, ...target });
  const spent = (await cpuSeconds(server.pid)) - before;
  if (failures > 0) throw new Error(`${failures} of ${requests} requests failed.`);
  if (counts) cpu.push((spent / requests) * 1e6);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { table } = await import('./rows.ts');
  process.stdout.write(`${table(await gatewayRows())}\n`);
}
