import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { forbidden } from '@haic/kit/errors.ts';
import { type HttpServer, principalOf } from '@haic/kit/http/server.ts';
import type { Runtime } from '@haic/platform/runtime/port.ts';

/** What `./haic status` asks: every workload with its state, for the owner of the machine only. */
export function registerOperatorRoutes(server: HttpServer, runtime: Runtime): void {
  server.get('/internal/operator/workloads', async (request) => {
    if (principalOf(request).party !== wellKnownClients.operator) {
      throw forbidden('operator_only', 'Only the owner of the machine may ask this.');
    }
    const workloads = await runtime.list({});
    return {
      items: workloads.map(({ name, status }) => ({
        name,
        phase: status.phase,
        reason: status.reason,
        since: status.since,
      })),
    };
  });
}
