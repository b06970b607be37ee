import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Runtime } from '@haic/platform/runtime/port.ts';

/** What `./haic status` asks: every workload with its state, for the owner of the machine only. */
export function registerOperatorRoutes(server: HttpServer, runtime: Runtime): void {
  server.get('/internal/operator/workloads', { config: { deed: 'operate' } }, async () => {
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
