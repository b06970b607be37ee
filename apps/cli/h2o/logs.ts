import { once } from 'node:events';
import process from 'node:process';
import { sleep } from '@haic/kit/deadline.ts';
import { HaicError, messageOf } from '@haic/kit/errors.ts';
import { say } from '../terminal.ts';
import type { Api, Instance } from './api.ts';
import { Unreachable } from './connection.ts';
import { eventsOf } from './events.ts';

export interface LogOptions {
  readonly follow: boolean;
  /** Of the process before the last restart. */
  readonly previous: boolean;
  readonly tail?: string;
  /** A JSON object for each line, with its number. */
  readonly json: boolean;
}

const logPath = (id: string, options: LogOptions): string => {
  const query = new URLSearchParams();
  if (options.follow) query.set('follow', 'true');
  if (options.previous) query.set('previous', 'true');
  if (options.tail !== undefined) query.set('tail', options.tail);
  return `/api/v1/instances/${encodeURIComponent(id)}/logs?${query}`;
};

export async function instanceLogs(api: Api, id: string, options: LogOptions): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  try {
    if (options.follow) await followLog(api, id, options, stop.signal);
    else await printLog(api, id, options, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

/** The log as it is now, byte by byte as it was written. */
async function printLog(api: Api, id: string, options: LogOptions, signal: AbortSignal): Promise<void> {
  if (options.json) return void (await printEvents(api, id, options, { lastId: undefined, signal }));
  const stream = await api.stream(logPath(id, options), signal);
  for await (const chunk of stream) await write(chunk);
}

const alive = new Set(['PENDING', 'STARTING', 'DEPLOYED']);
const patienceMs = 120_000;

/**
 * Prints a log as it is written, until its process has ended or the signal aborts. A connection that breaks, or a platform that
 * starts anew, is waited for: the log goes on behind the last line that came. Returns the instance as it then is; undefined when it
 * is gone, or when the signal ended it.
 */
export async function followLog(
  api: Api,
  id: string,
  options: LogOptions,
  signal: AbortSignal,
): Promise<Instance | undefined> {
  let lastId: string | undefined;
  let reached = performance.now();
  while (!signal.aborted) {
    try {
      const seen = await printEvents(api, id, options, { lastId, signal });
      lastId = seen.lastId;
      const instance = await api.json<Instance>('GET', `/api/v1/instances/${encodeURIComponent(id)}`);
      reached = performance.now();
      if (!alive.has(instance.status)) return instance;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof HaicError && error.status === 404 && lastId !== undefined) return undefined;
      if (!mayPass(error) || performance.now() - reached > patienceMs) throw error;
      say(`The connection was lost (${messageOf(error)}); trying again …`);
    }
    await sleep(1_000, signal).catch(() => undefined);
  }
  return undefined;
}

const mayPass = (error: unknown): boolean =>
  error instanceof Unreachable || (error instanceof HaicError && error.status >= 502);

/** Prints what comes on one connection. One that breaks in the middle is no error: what came is kept, and asked for no more. */
async function printEvents(
  api: Api,
  id: string,
  options: LogOptions,
  from: { lastId: string | undefined; signal: AbortSignal },
): Promise<{ lastId: string | undefined }> {
  let { lastId } = from;
  const stream = await api.stream(logPath(id, options), from.signal, {
    accept: 'text/event-stream',
    ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
  });
  try {
    for await (const { id: number, event, data } of eventsOf(stream)) {
      if (event !== 'message') continue;
      await write(options.json ? `${JSON.stringify({ number: Number(number), line: data })}\n` : `${data}\n`);
      lastId = number;
    }
  } catch (error) {
    if (from.signal.aborted) throw error;
  }
  return { lastId };
}

/** No faster than who reads: a log may be larger than memory. */
async function write(chunk: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
}
