import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestIdOf } from './request-id.ts';
import { type Span, type Tracer, traceHeader } from './tracer.ts';

const spans = new WeakMap<IncomingMessage, Span>();

/** A span that ends with the answer. */
export function traceAnswer(
  tracer: Tracer,
  request: IncomingMessage,
  response: ServerResponse,
  { name, parent, requestId = requestIdOf(request) }: { name: string; parent?: string; requestId?: string },
): Span {
  const span = tracer.begin(name, parent);
  spans.set(request, span);
  response.once('close', () => {
    span.set({ 'http.response.status_code': response.statusCode, 'haic.request_id': requestId });
    if (response.statusCode >= 500 || !response.writableFinished) span.failed();
    span.end();
  });
  return span;
}

/** What the next process of Haic is told of the request's trace, as a header's name and value. */
export function traceHeadersOf(request: IncomingMessage): string[] {
  const span = spans.get(request);
  return span === undefined ? [] : [traceHeader, span.traceparent];
}
