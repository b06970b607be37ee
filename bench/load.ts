import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { run } from './processes.ts';

/**
 * A small load generator, run as a process of its own (`node load.ts <options as JSON>`) so that its CPU is not what is measured:
 * keep-alive connections over loopback, one request after the other on each, a fixed number in all.
 */
export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  /** GET, unless another is said. */
  readonly method?: string;
  /** JSON. */
  readonly body?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly requests: number;
}

export interface LoadResult {
  readonly requests: number;
  /** Answers other than 200, and connections that broke. */
  readonly failures: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

export async function load(options: LoadOptions): Promise<LoadResult> {
  const said = await run(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(options)]);
  return JSON.parse(said) as LoadResult;
}

async function generate(options: LoadOptions): Promise<LoadResult> {
  const lines = Object.entries(options.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const { method = 'GET', body = '' } = options;
  if (body !== '')
    lines.push(`content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`);
  const request = Buffer.from(`${method} ${options.path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  const latencies: number[] = [];
  let [sent, failures] = [0, 0];
  const from = performance.now();
  await Promise.all(
    Array.from({ length: options.connections }, async () => {
      const socket = connect({ host: '127.0.0.1', port: options.port, noDelay: true });
      const next = answers(socket);
      try {
        while (sent < options.requests) {
          sent += 1;
          const asked = performance.now();
          socket.write(request);
          const status = await next();
          latencies.push(performance.now() - asked);
          if (status !== 200) failures += 1;
        }
      } catch {
        failures += 1;
      }
      socket.destroy();
    }),
  );
  const seconds = (performance.now() - from) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
  return { requests: latencies.length, failures, seconds, p50: at(0.5), p99: at(0.99) };
}

/** Each call resolves with the status of the next whole answer: by its content-length, or its last chunk. */
function answers(socket: Socket): () => Promise<number> {
  let text = '';
  let waiting: { resolve(status: number): void; reject(error: Error): void } | undefined;
  const look = () => {
    const head = text.indexOf('\r\n\r\n');
    if (head < 0 || waiting === undefined) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1];
    const last = length === undefined ? text.indexOf('0\r\n\r\n', head + 4) : -1;
    const end =
      length !== undefined ? head + 4 + Number(length) : last < 0 ? Number.POSITIVE_INFINITY : last + 5;
    if (text.length < end) return;
    const status = Number(text.slice(9, 12));
    text = text.slice(end);
    const { resolve } = waiting;
    waiting = undefined;
    resolve(status);
  };
  const broken = (error?: Error) => waiting?.reject(error ?? new Error('The connection was closed.'));
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => {
    text += String(chunk);
    look();
  });
  socket.on('error', broken);
  socket.on('close', () => broken());
  return () =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      look();
    });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = await generate(JSON.parse(process.argv[2] ?? '{}') as LoadOptions);
  process.stdout.write(JSON.stringify(result));
  process.exit(0);
}
