import { once } from 'node:events';
import process from 'node:process';
import { sleep } from '@haic/kit/deadline.ts';
import { HaicError } from '@haic/kit/errors.ts';
import { CommandError, say } from '../terminal.ts';
import type { Api, Instance } from './api.ts';
import { commandName } from './command-name.ts';
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
    if (options.follow) sayEnd(await followLog(api, id, options, stop.signal));
    else await printLog(api, id, options, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

function sayEnd(instance: Instance | undefined): void {
  if (instance === undefined) return;
  const { id, status, message } = instance;
  if (status === 'SUSPENDED') say(`It is paused. Use it again: ${commandName} instance resume ${id}`);
  else say(`It does not start: ${message}\nMore: ${commandName} instance status ${id}`);
}

/** The log as it is now, byte by byte as it was written. */
async function printLog(api: Api, id: string, options: LogOptions, signal: AbortSignal): Promise<void> {
  if (options.json) return void (await printEvents(api, id, options, { lastId: undefined, signal }));
  const stream = await api.stream(logPath(id, options), signal);
  for await (const chunk of stream) await write(chunk);
}

/**
 * Prints a log as it is written: until the instance is gone or paused, or its start has failed. One that has run and ended is started
 * again by the platform, and its log goes on. A connection that breaks, or a platform that starts anew, is waited for; the log goes on
 * behind the last line that came. Returns the instance as it was at the end; undefined when it is gone, or the signal ended it.
 */
export async function followLog(
  api: Api,
  id: string,
  options: LogOptions,
  signal: AbortSignal,
): Promise<Instance | undefined> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const lines = { lastAt: performance.now() };
  const last = lastState(api, id, either).finally(async () => {
    await quiet(lines, signal);
    over.abort();
  });
  // Waited for below; until then its failure is no unhandled one.
  last.catch(() => undefined);
  try {
    await followLines(api, id, options, { signal: either, lines });
  } finally {
    over.abort();
  }
  return signal.aborted ? undefined : last;
}

interface Lines {
  lastAt: number;
}

async function followLines(
  api: Api,
  id: string,
  options: LogOptions,
  { signal, lines }: { signal: AbortSignal; lines: Lines },
): Promise<void> {
  let lastId: string | undefined;
  await comingBack(signal, async () => {
    try {
      ({ lastId } = await printEvents(api, id, options, { lastId, signal, lines }));
    } catch (error) {
      if (lastId !== undefined && isGone(error)) return true;
      throw error;
    }
    return undefined;
  });
}

/** Watches the instance until nothing more is to be expected of its log. */
async function lastState(api: Api, id: string, signal: AbortSignal): Promise<Instance | undefined> {
  let hasRun = false;
  const last = await comingBack(signal, async () => {
    const stream = await api.stream(`/api/v1/instances/${encodeURIComponent(id)}/events`, signal);
    for await (const { event, data } of eventsOf(stream)) {
      if (event === 'end') return { instance: undefined };
      const instance = JSON.parse(data) as Instance;
      hasRun ||= instance.status === 'DEPLOYED';
      if (instance.status === 'SUSPENDED' || (instance.status === 'FAILED' && !hasRun)) return { instance };
    }
    return undefined;
  });
  return last?.instance;
}

const isGone = (error: unknown): boolean => error instanceof HaicError && error.status === 404;
const patienceMs = 120_000;

/** Repeats what waits on a stream, each time that it ends without a result; gives up when nobody was reached for two minutes. */
async function comingBack<T>(
  signal: AbortSignal,
  listen: () => Promise<T | undefined>,
): Promise<T | undefined> {
  let reached = performance.now();
  while (!signal.aborted) {
    try {
      const result = await listen();
      if (result !== undefined) return result;
      reached = performance.now();
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!mayPass(error) || performance.now() - reached > patienceMs) throw error;
    }
    await sleep(1_000, signal).catch(() => undefined);
  }
  return undefined;
}

/** What a process writes with its last breath arrives a little after the news of its end. */
async function quiet(lines: Lines, signal: AbortSignal): Promise<void> {
  const quietMs = 500;
  lines.lastAt = Math.max(lines.lastAt, performance.now() - 1);
  while (!signal.aborted && performance.now() - lines.lastAt < quietMs)
    await sleep(quietMs / 5, signal).catch(() => undefined);
}

/** A stream that broke off in the middle is an error of the client's own making, without a code of Haic. */
const mayPass = (error: unknown): boolean =>
  error instanceof Unreachable ||
  (error instanceof HaicError ? error.status >= 502 : !(error instanceof CommandError));

/** Prints what comes on one connection. One that breaks in the middle is no error: what came is kept, and asked for no more. */
async function printEvents(
  api: Api,
  id: string,
  options: LogOptions,
  from: { lastId: string | undefined; signal: AbortSignal; lines?: Lines },
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
      if (from.lines !== undefined) from.lines.lastAt = performance.now();
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
