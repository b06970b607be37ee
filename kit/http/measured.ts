import type { FastifyInstance } from 'fastify';
import type { Meter } from '../telemetry/meter.ts';

/** Measures all answers of a server, in classes that follow from the routes: as many as there are, and no more. */
export function measureAnswers(server: FastifyInstance, meter: Meter): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { url } = request.routeOptions;
    const trafficClass = request.is404 ? 'unknown' : classOf(url ?? '');
    const streams = request.headers.accept?.includes('text/event-stream') === true;
    meter.answer(streams ? 'stream' : trafficClass, reply.raw);
    done();
  });
}

/** `/api/v1/apps/:id/…` → `api/v1/apps`, `/secure-store/*` → `secure-store`: what a route begins with, up to its first parameter. */
function classOf(url: string): string {
  const words = url.split('/').filter((word) => word !== '');
  const parameter = words.findIndex((word) => /[:*]/.test(word));
  const named = parameter === -1 ? words : words.slice(0, parameter);
  return named.slice(0, named[0] === 'api' || named[0] === 'internal' ? 3 : 1).join('/') || 'portal';
}
