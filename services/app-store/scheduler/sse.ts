import { Readable } from 'node:stream';
import type { FastifyReply } from '@haic/kit/http/server.ts';

export interface ServerSentEvent {
  readonly event?: string;
  readonly id?: string;
  readonly data: string;
}

/** One event on the wire. A line end of any kind inside the data begins a new `data:` line, or it could forge fields. */
export function formatEvent({ event, id, data }: ServerSentEvent): string {
  const head = `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}`;
  return `${head}${data
    .split(/\r\n|\r|\n/)
    .map((line) => `data: ${line}\n`)
    .join('')}\n`;
}

export const heartbeat = ': still here\n\n';

/** Sends what the generator yields as fast as the reader takes it: nothing is asked of the generator ahead of the reader. */
export function sendStream(
  reply: FastifyReply,
  contentType: string,
  make: (signal: AbortSignal) => AsyncIterable<string>,
): FastifyReply {
  const closed = new AbortController();
  reply.raw.once('close', () => closed.abort());
  const body = Readable.from(untilClosed(reply, make(closed.signal), closed.signal), { highWaterMark: 16 });
  return reply
    .type(contentType)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
    .header('x-accel-buffering', 'no')
    .send(body);
}

/** A reader that leaves is no error. */
async function* untilClosed(reply: FastifyReply, source: AsyncIterable<string>, closed: AbortSignal) {
  // The first item may be long in coming, and whoever waits for the status would give up.
  reply.raw.flushHeaders();
  try {
    yield* source;
  } catch (error) {
    if (!closed.aborted) throw error;
  }
}

export const sendEvents = (reply: FastifyReply, make: (signal: AbortSignal) => AsyncIterable<string>) =>
  sendStream(reply, 'text/event-stream', make);

/** Passes on what comes, and yields `beat` whenever nothing came for so long. No item is lost between beats. */
export async function* withHeartbeat(
  source: AsyncIterable<string>,
  options: { everyMs: number; beat: string },
): AsyncGenerator<string> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = iterator.next();
      let result = await inTime(next, options.everyMs);
      while (result === undefined) {
        yield options.beat;
        result = await inTime(next, options.everyMs);
      }
      if (result.done) return;
      yield result.value;
    }
  } finally {
    // Not awaited: a source that waits for its signal ends when the signal does.
    void iterator.return?.().catch(() => undefined);
  }
}

/** Undefined when the promise takes longer; it may be asked again. */
async function inTime<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, milliseconds, undefined);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
