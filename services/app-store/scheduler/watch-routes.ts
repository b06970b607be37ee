import { sleep } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { callService, type Fetch } from '@haic/kit/http/client.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { RouteEvent, RouteLine } from './instance-route.ts';

export interface RouteSource {
  /** Where the scheduler listens, e.g. `http://core`; how it is dialled is `fetch`'s matter. */
  readonly baseUrl: string;
  readonly fetch: Fetch;
  /** A valid access token of `haic-service-router`; asked for at each connect. */
  readonly token: () => Promise<string>;
  readonly logger: Logger;
  /** A stream that is silent for longer counts as dead; default 15 s (the scheduler pings each 5 s). */
  readonly heartbeatDeadlineMs?: number;
}

const defaultHeartbeatDeadlineMs = 15_000;
const firstRetryMs = 100;
/** Core is one process of few: asking it often costs nothing, and apps that were started meanwhile are unknown until it answers. */
const longestRetryMs = 1_000;
/** A snapshot of ten thousand routes is a twentieth of this. */
const longestLine = 64 * 1024 * 1024;

/** Reads the scheduler's route stream for ever, reconnecting with a growing pause; ends when the signal aborts. */
export async function* watchRoutesOverHttp(
  options: RouteSource,
  signal: AbortSignal,
): AsyncGenerator<RouteEvent, void, undefined> {
  let retryMs = firstRetryMs;
  while (!signal.aborted) {
    try {
      for await (const event of readOneStream(options, signal)) {
        retryMs = firstRetryMs;
        yield event;
      }
      options.logger.warn('The route stream ended; connecting again.');
    } catch (error) {
      if (signal.aborted) return;
      options.logger.warn(`The route stream broke (${messageOf(error)}); connecting again in ${retryMs} ms.`);
    }
    await sleep(retryMs, signal).catch(() => undefined);
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  }
}

async function* readOneStream(options: RouteSource, signal: AbortSignal) {
  const deadlineMs = options.heartbeatDeadlineMs ?? defaultHeartbeatDeadlineMs;
  const connection = new AbortController();
  const silence = setTimeout(
    () => connection.abort(new Error(`nothing was heard for ${deadlineMs} ms`)),
    deadlineMs,
  );
  try {
    const response = await callService(options.fetch, `${options.baseUrl}/internal/routes`, {
      token: await options.token(),
      signal: AbortSignal.any([signal, connection.signal]),
    });
    if (response.body === null) throw new Error('the answer has no body');
    let synced = false;
    for await (const line of linesOf(response.body, () => silence.refresh())) {
      const event = JSON.parse(line) as RouteLine;
      if (event.type === 'PING') continue;
      // Changes without the state they change would leave routes of an earlier connection in place.
      if (!synced && event.type !== 'SNAPSHOT') throw new Error('the stream did not begin with a snapshot');
      synced = true;
      yield event;
    }
  } finally {
    clearTimeout(silence);
    connection.abort();
  }
}

async function* linesOf(body: ReadableStream<Uint8Array>, onData: () => void): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    onData();
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > longestLine) throw new Error('a line of the stream is too long');
    for (const part of parts) if (part !== '') yield part;
  }
}
