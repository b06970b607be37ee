import type { RouteLine } from '../instance-route.ts';
import { routeLines } from '../route-events.ts';
import { sendStream } from '../sse.ts';
import type { RouteContext, SchedulerServer } from './context.ts';

const line = (value: RouteLine): string => `${JSON.stringify(value)}\n`;

/** GET /internal/routes: what the router serves, as a stream that never ends (NDJSON). */
export function watchRoutesRoute(server: SchedulerServer, context: RouteContext): void {
  server.get('/internal/routes', { config: { deed: 'route' } }, async (_request, reply) => {
    return sendStream(reply, 'application/x-ndjson', async function* (closed) {
      // At once, so that the reader knows the stream lives while the runtime is still being asked.
      yield line({ type: 'PING' });
      const lines = routeLines(context.instances, { signal: closed, pingMs: context.routePingMs });
      for await (const value of lines) yield line(value);
    });
  });
}
