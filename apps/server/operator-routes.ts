import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Runtime } from '@haic/platform/runtime/port.ts';
import type { AuditOutbox } from '@haic/services/audit/outbox/outbox.ts';

/** What `./haic status` asks, for the owner of the machine only: every workload with its state, and what waits to be recorded. */
export function registerOperatorRoutes(
  server: HttpServer,
  runtime: Runtime,
  outbox: Pick<AuditOutbox, 'status'>,
): void {
  server.get('/internal/operator/audit', { config: { deed: 'operate' } }, () => outbox.status());
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
