import type { FastifyInstance } from 'fastify';
import { traceAnswer } from '../telemetry/answering.ts';
import { type Tracer, traceHeader } from '../telemetry/tracer.ts';
import { withinRequest } from '../telemetry/within-request.ts';

/** From here on, what is logged and what is asked of others belongs to the request. */
export function beginAnswering(server: FastifyInstance, tracer: Tracer | undefined): void {
  server.addHook('onRequest', (request, reply, done) => {
    if (tracer === undefined) return withinRequest(request.id, undefined, done);
    const told = request.headers[traceHeader];
    const span = traceAnswer(tracer, request.raw, reply.raw, {
      // The route and not the address: names are few, and nobody's ids are among them.
      name: `${request.method} ${request.routeOptions.url ?? 'unknown'}`,
      requestId: request.id,
      ...(typeof told === 'string' ? { parent: told } : {}),
    });
    withinRequest(request.id, span, done);
  });
}
