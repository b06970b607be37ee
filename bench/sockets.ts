import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** WebSockets through a proxy, held by a process of their own (`node sockets.ts <options as JSON>`), so that none of it is measured. */
export interface SocketOptions {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Sockets {
  /** Opens so many at once and keeps them; returns how many opened. With headers of their own if they are given. */
  open(count: number, headers?: SocketOptions['headers']): Promise<number>;
  /** Opens and closes so many, one batch after the other; returns how many opened. */
  churn(count: number): Promise<number>;
  /** Of those that were opened and not closed here: how many the other side has closed. */
  lost(): Promise<number>;
  closeAll(): Promise<number>;
  stop(): void;
}

interface Order {
  readonly number: number;
  readonly what: 'open' | 'churn' | 'lost' | 'closeAll';
  readonly count: number;
  readonly headers?: SocketOptions['headers'] | undefined;
}

interface Answer {
  readonly number: number;
  readonly count: number;
}

export function startSockets(options: SocketOptions): Sockets {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(options)]);
  const waiting = new Map<number, PromiseWithResolvers<number>>();
  let number = 0;
  child.on('message', (answer: Answer) => {
    waiting.get(answer.number)?.resolve(answer.count);
    waiting.delete(answer.number);
  });
  child.on('exit', () => {
    for (const { reject } of waiting.values())
      reject(new Error('The process that holds the WebSockets ended.'));
  });
  const ask = (
    what: Order['what'],
    count = 0,
    headers: SocketOptions['headers'] | undefined = undefined,
  ): Promise<number> => {
    number += 1;
    const answered = Promise.withResolvers<number>();
    waiting.set(number, answered);
    child.send({ number, what, count, headers } satisfies Order);
    return answered.promise;
  };
  return {
    open: (count, headers) => ask('open', count, headers),
    churn: (count) => ask('churn', count),
    lost: () => ask('lost'),
    closeAll: () => ask('closeAll'),
    stop: () => void child.kill(),
  };
}

/** Few enough at a time that no queue of new connections overflows. */
const atOnce = 100;

function hold(options: SocketOptions) {
  const open = new Set<Socket>();
  let lost = 0;

  const openOne = (headers = options.headers): Promise<Socket | undefined> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: options.port, noDelay: true });
      let text = '';
      socket.setEncoding('latin1');
      socket.on('data', (chunk) => {
        if (open.has(socket)) return;
        text += String(chunk);
        if (!text.includes('\r\n\r\n')) return;
        if (!text.startsWith('HTTP/1.1 101 ')) {
          socket.destroy();
          return;
        }
        open.add(socket);
        resolve(socket);
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        if (open.delete(socket)) lost += 1;
        resolve(undefined);
      });
      const lines = Object.entries({
        ...headers,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
      }).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`GET ${options.path} HTTP/1.1\r\n${lines.join('')}\r\n`);
    });

  const closeOne = (socket: Socket): Promise<void> =>
    new Promise((resolve) => {
      open.delete(socket);
      socket.once('close', () => resolve());
      socket.end();
      socket.resume();
    });

  const inBatches = async (count: number, work: () => Promise<number>): Promise<number> => {
    let done = 0;
    for (let left = count; left > 0; left -= atOnce) {
      const batch = Array.from({ length: Math.min(left, atOnce) }, work);
      for (const result of await Promise.all(batch)) done += result;
    }
    return done;
  };

  return {
    open: (count: number, headers?: SocketOptions['headers']) =>
      inBatches(count, async () => ((await openOne(headers)) === undefined ? 0 : 1)),
    churn: (count: number) =>
      inBatches(count, async () => {
        const socket = await openOne();
        if (socket !== undefined) await closeOne(socket);
        return socket === undefined ? 0 : 1;
      }),
    lost: async () => lost,
    closeAll: async () => {
      const all = [...open];
      await Promise.all(all.map(closeOne));
      return all.length;
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const held = hold(JSON.parse(process.argv[2] ?? '{}') as SocketOptions);
  process.on('message', ({ number, what, count, headers }: Order) => {
    void held[what](count, headers).then((done) => process.send?.({ number, count: done } satisfies Answer));
  });
}
