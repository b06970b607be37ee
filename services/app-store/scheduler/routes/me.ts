import { principalOf } from '@haic/kit/http/server.ts';
import { enforce, mayAskAsPerson } from '../policy.ts';
import { presentMe } from '../present.ts';
import type { RouteContext, SchedulerServer } from './context.ts';

/** GET /api/v1/me: who asks, what they may, and the addresses that clients need. */
export function meRoute(server: SchedulerServer, context: RouteContext): void {
  server.get('/api/v1/me', async (request) => {
    const actor = principalOf(request);
    enforce(mayAskAsPerson(actor), 'This page');
    return presentMe(actor, context.isolationInfo(), context.environment);
  });
}
