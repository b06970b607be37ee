import { principalOf } from '@haic/kit/http/server.ts';
import { presentMe } from '../present.ts';
import type { RouteContext, SchedulerServer } from './context.ts';
import { MeSchema } from './schemas.ts';

const schema = {
  operationId: 'getMe',
  summary: 'Who asks, what they may, and the addresses that clients need.',
  tags: ['About'],
  response: { 200: MeSchema },
};

/** GET /api/v1/me: who asks, what they may, and the addresses that clients need. */
export function meRoute(server: SchedulerServer, context: RouteContext): void {
  server.get('/api/v1/me', { schema, config: { deed: 'see who one is' } }, async (request) => {
    const actor = principalOf(request);
    return presentMe(actor, context.isolationInfo(), context.environment);
  });
}
