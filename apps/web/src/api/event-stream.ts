import { callRaw } from './http.ts';
import { ApiError } from './problem.ts';

export interface StreamEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export interface StreamOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: StreamEvent) => void;
  readonly onState?: (state: 'open' | 'waiting') => void;
  /** Asked when the server ended the stream in order. False: it was the end, and no error. Default: it was the end. */
  readonly again?: () => boolean;
}

/** Answers after which asking again is pointless. */
const isFinal = (error: unknown): boolean =>
  error instanceof ApiError && !error.isUnreachable && error.status !== 429 && error.status < 500;

/**
 * Follows server-sent events until they end or the signal aborts. The browser's own EventSource cannot tell an end from a
 * broken connection, says nothing of the status, and forgets its last id on a reload; hence this reader. Reconnects with
 * `Last-Event-ID`, waiting longer each time. Throws only what is final, such as a 403.
 */
export async function followEvents(path: string, options: StreamOptions): Promise<void> {
  let lastEventId = '';
  let failures = 0;
  while (!options.signal.aborted) {
    try {
      const response = await callRaw(path, {
        signal: options.signal,
        headers: {
          accept: 'text/event-stream',
          ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }),
        },
      });
      if (response.status === 204 || response.body === null) return;
      options.onState?.('open');
      for await (const event of parseEvents(response.body)) {
        failures = 0;
        if (event.id !== '') lastEventId = event.id;
        if (event.event === 'end') return;
        options.onEvent(event);
      }
      if (options.again?.() !== true) return;
    } catch (error) {
      if (options.signal.aborted) return;
      if (isFinal(error)) throw error;
    }
    options.onState?.('waiting');
    failures += 1;
    await pause(Math.min(500 * 2 ** failures, 5000), options.signal);
  }
}

export async function* parseEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let rest = '';
  let fields = { id: '', event: '', data: [] as string[] };
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line !== '') {
          takeField(fields, line);
          continue;
        }
        if (fields.data.length > 0)
          yield { id: fields.id, event: fields.event || 'message', data: fields.data.join('\n') };
        else if (fields.event === 'end') yield { id: fields.id, event: 'end', data: '' };
        fields = { id: '', event: '', data: [] };
      }
    }
  } finally {
    // Also ends the request when the consumer stops early.
    await reader.cancel().catch(() => {});
  }
}

function takeField(fields: { id: string; event: string; data: string[] }, line: string): void {
  const colon = line.indexOf(':');
  if (colon === 0) return;
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
  if (name === 'data') fields.data.push(value);
  else if (name === 'id') fields.id = value;
  else if (name === 'event') fields.event = value;
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
