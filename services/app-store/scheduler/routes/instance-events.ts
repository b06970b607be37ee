import { createHash } from 'node:crypto';
import { textual } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { holdLease } from '../lease.ts';
import type { Instance } from '../model.ts';
import { maySee } from '../policy.ts';
import { formatEvent, heartbeat, sendEvents } from '../sse.ts';
import { answerWith, type RouteContext, type SchedulerServer } from './context.ts';
import { IdParams, tags } from './schemas.ts';

const schema = {
  operationId: 'followInstance',
  summary: 'The instance at each change, as server-sent events, until it is gone.',
  description:
    'The data of an event `instance` is the instance as `getInstance` answers it. The event `end` is the last one.',
  tags,
  params: IdParams,
  response: {
    200: textual(['text/event-stream'], 'Events until the instance is gone or one may no longer see it.'),
  },
};

/** GET /api/v1/instances/:id/events: the instance at each change (SSE), until it is gone. */
export function instanceEventsRoute(server: SchedulerServer, context: RouteContext): void {
  server.get(
    '/api/v1/instances/:id/events',
    { schema, config: { deed: 'see instances' } },
    async (request, reply) => {
      const actor = principalOf(request);
      const { id } = request.params;
      await context.service.get(actor, id);
      const lastId = request.headers['last-event-id'];
      return sendEvents(reply, async function* (closed) {
        const lease = holdLease({
          actor,
          identity: context.identity,
          stillAllowed: async (now) => {
            const instance = await context.service.find(id);
            return instance === undefined || maySee(now, instance).allowed;
          },
          checkMs: context.leaseCheckMs,
        });
        try {
          yield 'retry: 1000\n\n';
          let sent = typeof lastId === 'string' ? lastId : undefined;
          for await (const instance of statesOf(context, id, AbortSignal.any([closed, lease.signal]))) {
            if (instance === 'idle') {
              yield heartbeat;
              continue;
            }
            if (instance === 'gone' || !maySee(actor, instance).allowed) {
              yield theEnd;
              return;
            }
            const data = JSON.stringify(await answerWith(context, request, instance));
            // The id names the content, so that a reader who comes back is not told what it knows.
            const eventId = createHash('sha256').update(data).digest('base64url').slice(0, 16);
            if (eventId !== sent) yield formatEvent({ event: 'instance', id: eventId, data });
            sent = eventId;
          }
          // Without this word, as when the platform stops, the reader knows that it should come back.
          if (lease.signal.aborted) yield theEnd;
        } finally {
          lease.end();
        }
      });
    },
  );
}

const theEnd = formatEvent({ event: 'end', data: '{}' });

/** The instance at each change, until it is gone. */
async function* statesOf(
  context: RouteContext,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<Instance | 'idle' | 'gone'> {
  const idleMs = context.heartbeatMs;
  for await (const change of context.instances.changes({ signal, idleMs, only: id })) {
    if (change.type === 'REMOVE') yield 'gone';
    if (change.type === 'SET') yield change.instance;
    if (change.type === 'IDLE') yield 'idle';
    // One that was started a moment ago may be known to the runtime and not yet seen by the watch.
    if (change.type === 'SNAPSHOT') yield change.instances[0] ?? (await context.service.find(id)) ?? 'gone';
  }
}
