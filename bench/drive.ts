import { execFile } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { openBlobs } from '@haic/server/blobs.ts';
import { installationAt } from '@haic/server/installation.ts';
import { readSettings } from '@haic/server/settings.ts';
import { presign } from '@haic/services/drive/ocean/presign.ts';
import { startVersitygw } from '@haic/test-stores/servers.ts';
import { type Haic, startHaic } from '../test/support/haic.ts';
import { pidOf } from './haic.ts';
import { cpuSeconds } from './processes.ts';
import { atLeast, atMost, compare, median, type Row, spread } from './rows.ts';

const kib = 1024;
const mib = 1024 * kib;
const gib = 1024 * mib;
const rounds = 7;
const atOnce = 4;
/**
 * Small ones are new in each round: what is replaced is deleted, and an ext4 without a journal looks, whenever it makes a file, at each one that was
 * deleted within the last minutes, which soon costs either side more than all the rest. Large ones would fill the disk.
 */
const sizes = [
  { id: '64k', name: '64 KiB', bytes: 64 * kib, count: 1_000, areNew: true },
  { id: '64m', name: '64 MiB', bytes: 64 * mib, count: 4, areNew: false },
] as const;
const keys = 100_000;
const pages = 20;

/** A store that speaks S3. Addresses are signed before the clock runs, so that the client costs both sides the same and little. */
interface Contender {
  readonly url: string;
  readonly bucket: string;
  readonly credentials: Parameters<typeof presign>[0];
  /** Whose CPU it costs. */
  readonly pids: readonly number[];
  /** What makes an acknowledged object survive a power cut, where the store does not do it itself. */
  readonly sync?: (key: string) => Promise<void>;
}

/** Row 12: objects small and large through Drive and through versitygw, on the same disk, in turns. */
export async function benchDrive(): Promise<readonly Row[]> {
  const peer = await startVersitygw();
  const haic = await startHaic({ HAIC_DRIVE_QUOTA_GIB: '0' });
  try {
    const ours = await driveOf(haic);
    const theirs = {
      url: peer.endpoint,
      bucket: 'bucket',
      credentials: { accessKeyId: peer.accessKey, secretAccessKey: peer.secretKey },
      pids: [peer.pid],
    };
    const bucketFolder = path.join(peer.folder, 'data', 'bucket');
    const synced = { ...theirs, sync: (key: string) => syncFile(path.join(bucketFolder, key)) };
    return [
      ...(await compareRates(ours, theirs, synced)),
      await firstPage(haic, ours),
      await largeUpload(haic, ours),
    ];
  } finally {
    await haic.stop();
    await peer.stop();
  }
}

/** Somebody's own bucket, by keys that STS gives for a token. */
async function driveOf(haic: Haic): Promise<Contender & { readonly prefix: string }> {
  const url = `http://localhost:${haic.port + 2}`;
  const token = await haic.accessToken(haic.admin.username);
  const answer = await fetch(`${url}/sts`, {
    method: 'POST',
    body: new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: 'drivedrivedrivedrive',
      RoleSessionName: 'bench',
      WebIdentityToken: token,
    }),
  });
  const text = await answer.text();
  const field = (name: string): string => {
    const found = new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1];
    if (found === undefined) throw new Error(`STS answered ${answer.status}: ${text.slice(0, 200)}`);
    return found;
  };
  const postmaster = await readFile(path.join(haic.home, 'postgres', 'data', 'postmaster.pid'), 'utf8');
  const { sub } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    sub: string;
  };
  return {
    url,
    bucket: '_my',
    pids: [await pidOf(haic, 'drive'), Number(postmaster.split('\n')[0])],
    prefix: `drive/people/${encodeURIComponent(sub)}/`,
    credentials: {
      accessKeyId: field('AccessKeyId'),
      secretAccessKey: field('SecretAccessKey'),
      sessionToken: field('SessionToken'),
    },
  };
}

/** The file and its name, as a client of the store would have to. */
async function syncFile(file: string): Promise<void> {
  for (const name of [file, path.dirname(file)]) {
    const handle = await open(name, 'r');
    await handle.sync().finally(() => handle.close());
  }
}

interface Measured {
  /** MiB/s. */
  readonly rates: number[];
  /** Milliseconds of CPU an object. */
  readonly cpu: number[];
}

/**
 * Drive acknowledges what is on the disk, versitygw what is in the cache of its system: so puts are compared with versitygw as it is, and with
 * a client of it that syncs file and folder before it believes the answer.
 */
async function compareRates(ours: Contender, theirs: Contender, synced: Contender): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const contender of [ours, theirs]) await warmUp(contender);
  for (const { id, name, bytes, count, areNew } of sizes) {
    const content = Buffer.alloc(bytes, 'haic');
    const contenders = { ours, theirs, synced };
    const found = new Map<string, Measured>();
    for (let round = 0; round <= rounds; round += 1) {
      const prefix = areNew ? `${id}/${round}/` : `${id}/`;
      const all = Object.entries(contenders);
      for (const [who, contender] of round % 2 === 0 ? all : all.toReversed()) {
        for (const method of ['PUT', 'GET'] as const) {
          if (method === 'GET' && contender.sync !== undefined) continue;
          await writeBack();
          const { rate, cpu } = await rateOf(contender, method, { content, count, prefix });
          // The first one warms up.
          if (round === 0) continue;
          const measured = found.get(`${method} ${who}`) ?? { rates: [], cpu: [] };
          found.set(`${method} ${who}`, measured);
          measured.rates.push((rate * bytes) / mib);
          measured.cpu.push(cpu);
        }
      }
    }
    const of = (which: string): Measured => found.get(which) ?? { rates: [], cpu: [] };
    for (const method of ['PUT', 'GET'] as const) rows.push(...rowsOf(method, { id, name }, of));
  }
  return rows;
}

/** What the one before left in the system's cache would be written while the next one waits for the disk. */
const writeBack = () => promisify(execFile)('sync', { timeout: 120_000 });

/** What runs for weeks has its code compiled; what has just started has not. */
async function warmUp(contender: Contender): Promise<void> {
  const work = { content: Buffer.alloc(64 * kib, 'haic'), count: 5_000, prefix: 'warm-up/' };
  for (const method of ['PUT', 'GET'] as const) await rateOf(contender, method, work);
}

function rowsOf(
  method: 'PUT' | 'GET',
  size: { readonly id: string; readonly name: string },
  of: (which: string) => Measured,
): readonly Row[] {
  const id = `12.${method.toLowerCase()}.${size.id}`;
  const name = `${method} of ${size.name}`;
  const peer = 'versitygw 1.8, posix';
  const [ours, theirs, synced] = ['ours', 'theirs', 'synced'].map((who) => of(`${method} ${who}`));
  const figures = (which: 'rates' | 'cpu', other = theirs) => ({
    ours: median(ours?.[which] ?? []),
    theirs: median(other?.[which] ?? []),
  });
  const spreads = (other = theirs) =>
    `${atOnce} at once; rounds: ours ${spread(ours?.rates ?? [])}, theirs ${spread(other?.rates ?? [])} MiB/s`;
  const promise = 'ours is on the disk before it is acknowledged, theirs in its cache';
  const rate = { id, name, peer, unit: 'MiB/s', ...figures('rates') };
  const durable = { ...rate, id: `${id}.durable`, name: `${name}, on the disk`, ...figures('rates', synced) };
  const cpu = { id: `${id}.cpu`, name: `CPU of a ${name}`, peer, unit: 'ms', ...figures('cpu') };
  return [
    atLeast({ ...rate, note: method === 'PUT' ? `${spreads()}; ${promise}` : spreads() }, 0.8),
    ...(method === 'PUT'
      ? [
          compare(
            {
              ...{ ...durable, peer: `${peer}, synced by its client` },
              note: `${spreads(synced)}; both are on the disk`,
            },
            undefined,
          ),
        ]
      : []),
    compare({ ...cpu, note: 'of the server; ours with its PostgreSQL' }, undefined),
  ];
}

/** Objects a second, and what each costs the server. */
async function rateOf(
  contender: Contender,
  method: 'PUT' | 'GET',
  work: { content: Buffer; count: number; prefix: string },
): Promise<{ rate: number; cpu: number }> {
  const keys = Array.from({ length: work.count }, (_, index) => `${work.prefix}${index}`);
  const left = keys.map((key) => ({ key, address: addressOf(contender, method, key) }));
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const before = await cpuOf(contender);
  const started = performance.now();
  const worker = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const { bytes } = await send(agent, method, next.address, method === 'PUT' ? work.content : undefined);
      if (method === 'GET' && bytes !== work.content.length)
        throw new Error(`${bytes} bytes came instead of ${work.content.length}.`);
      if (method === 'PUT') await contender.sync?.(next.key);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const seconds = (performance.now() - started) / 1000;
  const cpu = ((await cpuOf(contender)) - before) * 1000;
  agent.destroy();
  return { rate: work.count / seconds, cpu: cpu / work.count };
}

async function cpuOf({ pids }: Contender): Promise<number> {
  let sum = 0;
  for (const pid of pids) sum += await cpuSeconds(pid);
  return sum;
}

const addressOf = (
  { credentials, url, bucket }: Contender,
  method: 'PUT' | 'GET',
  key: string,
  query: Readonly<Record<string, string>> = {},
): string => presign(credentials, { method, driveUrl: url, bucket, key, query, expiresIn: 3600 });

/** How many bytes were answered; what is not a success is an error. */
function send(
  agent: Agent,
  method: string,
  address: string,
  body: Buffer | { readonly length: number; stream(): Readable } | undefined,
): Promise<{ bytes: number }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-length': body.length };
    const request = httpRequest(address, { agent, method, headers }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.once('error', reject);
      response.once('end', () =>
        response.statusCode === 200
          ? resolve({ bytes })
          : reject(new Error(`${method} was answered with ${response.statusCode}.`)),
      );
    });
    request.once('error', reject);
    if (body === undefined) request.end();
    else if (Buffer.isBuffer(body)) request.end(body);
    else body.stream().pipe(request);
  });
}

/** The objects are put where Drive keeps them: what they cost to make is another row. */
async function firstPage(haic: Haic, ours: Awaited<ReturnType<typeof driveOf>>): Promise<Row> {
  const cache = haic.environment.HAIC_CACHE ?? '';
  const at = installationAt(haic.home, cache);
  const blobs = await openBlobs(readSettings(haic.environment), at, { etags: 'md5' });
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < keys; index = next++)
      await blobs.put(`${ours.prefix}many/${String(index).padStart(6, '0')}`, Readable.from([]), {
        size: 0,
        signal: AbortSignal.timeout(60_000),
      });
  };
  await Promise.all(Array.from({ length: 64 }, worker));
  const agent = new Agent({ keepAlive: true });
  const times: number[] = [];
  for (let page = 0; page < pages; page += 1) {
    const query = { 'list-type': '2', prefix: 'many/', delimiter: '/' };
    const started = performance.now();
    await send(agent, 'GET', addressOf(ours, 'GET', '', query), undefined);
    times.push(performance.now() - started);
  }
  agent.destroy();
  const name = `first page of ${keys.toLocaleString('en')} keys`;
  const measured = { id: '12.list', name, peer: '-', unit: 'ms', ours: median(times), theirs: null };
  return {
    ...atMost(measured, 200),
    note: `the very first one: ${times[0]?.toFixed(0)} ms; the slowest after it: ${Math.max(...times.slice(1)).toFixed(0)} ms`,
  };
}

/** How much the Drive process grows while 5 GiB come in one piece. */
async function largeUpload(haic: Haic, ours: Contender): Promise<Row> {
  const pid = await pidOf(haic, 'drive');
  const before = await peakOf(pid);
  const chunk = Buffer.alloc(mib, 'haic');
  const body = {
    length: 5 * gib,
    stream: () =>
      Readable.from(
        (function* () {
          for (let sent = 0; sent < 5 * gib; sent += mib) yield chunk;
        })(),
        { objectMode: false },
      ),
  };
  const agent = new Agent();
  const started = performance.now();
  await send(agent, 'PUT', addressOf(ours, 'PUT', 'five-gib'), body);
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  const grown = (await peakOf(pid)) - before;
  const measured = { id: '12.memory', name: 'memory for 5 GiB', peer: '-', unit: 'MiB', theirs: null };
  return {
    ...atMost({ ...measured, ours: grown }, 64),
    note: `the most that the process ever held, after less what it had held before (${before.toFixed(0)} MiB); ${((5 * gib) / mib / seconds).toFixed(0)} MiB/s`,
  };
}

/** MiB. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / kib;
}
