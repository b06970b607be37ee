import { Type } from '@fastify/type-provider-typebox';
import { forgetCall } from '@haic/kit/audit/routes.ts';
import type { Principal } from '@haic/kit/auth/principal.ts';
import { textual } from '@haic/kit/http/operation.ts';
import { type FastifyRequest, principalOf } from '@haic/kit/http/server.ts';
import { holdLease } from '../lease.ts';
import { numberedLines } from '../log-lines.ts';
import { type Instance, workloadNameOf } from '../model.ts';
import { mayReadLogs } from '../policy.ts';
import { formatEvent, heartbeat, sendEvents, sendStream, withHeartbeat } from '../sse.ts';
import type { RouteContext, SchedulerServer } from './context.ts';
import { IdParams, tags } from './schemas.ts';

const schema = {
  operationId: 'readInstanceLog',
  summary: 'The log of an instance.',
  description:
    'Plain text, or server-sent events with line numbers as ids to whoever accepts `text/event-stream`.',
  tags,
  params: IdParams,
  querystring: Type.Object({
    previous: Type.Optional(Type.Boolean({ description: 'Of the process that ran before.' })),
    follow: Type.Optional(Type.Boolean({ description: 'Goes on while the process does.' })),
    tail: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Only the last so many lines.' }),
    ),
  }),
  response: { 200: textual(['text/plain', 'text/event-stream'], 'The lines.') },
};

interface LogQuery {
  readonly previous: boolean;
  readonly follow: boolean;
  readonly tail?: number;
}

/** GET /api/v1/instances/:id/logs: plain text, or SSE with line numbers as ids, so that a broken connection resumes. */
export function instanceLogsRoute(server: SchedulerServer, context: RouteContext): void {
  server.get(
    '/api/v1/instances/:id/logs',
    {
      schema,
      config: {
        deed: 'read logs',
        audit: {
          action: 'actions/appstore/instances/READLOGS',
          resource: '//appstore/instances/{id}',
          readOnly: true,
        },
      },
    },
    async (request, reply) => {
      const actor = principalOf(request);
      const instance = await context.service.getForLogs(actor, request.params.id);
      // One's own log is nobody else's matter.
      if (instance.owner.subject === actor.subject) await forgetCall(request);
      const { previous = false, follow = false, tail } = request.query;
      const query: LogQuery = {
        previous,
        follow: follow && !previous,
        ...(tail === undefined ? {} : { tail }),
      };
      if ((request.headers.accept ?? '').includes('text/event-stream')) {
        const after = lastEventNumber(request);
        return sendEvents(reply, (closed) =>
          leased(context, actor, instance, closed, (signal) =>
            withHeartbeat(
              events(context, instance, { ...query, ...(after === undefined ? {} : { after }), signal }),
              {
                everyMs: context.heartbeatMs,
                beat: heartbeat,
              },
            ),
          ),
        );
      }
      return sendStream(reply, 'text/plain; charset=utf-8', (closed) =>
        leased(context, actor, instance, closed, (signal) => plain(context, instance, { ...query, signal })),
      );
    },
  );
}

async function* plain(context: RouteContext, instance: Instance, query: LogQuery & { signal: AbortSignal }) {
  const { tail, ...rest } = query;
  const options = { ...rest, ...(tail === undefined ? {} : { tailLines: tail }) };
  for await (const line of context.runtime.logs(workloadNameOf(instance.id), options)) yield `${line}\n`;
}

async function* events(
  context: RouteContext,
  instance: Instance,
  query: LogQuery & { after?: number; signal: AbortSignal },
) {
  yield 'retry: 1000\n\n';
  for await (const { number, text } of numberedLines(context.runtime, instance, query))
    yield formatEvent({ id: String(number), data: text });
  yield formatEvent({ event: 'end', data: '{}' });
}

/** Ends the stream without an error when the person may no longer read this log. */
async function* leased(
  context: RouteContext,
  actor: Principal,
  instance: Instance,
  closed: AbortSignal,
  make: (signal: AbortSignal) => AsyncIterable<string>,
) {
  const lease = holdLease({
    actor,
    identity: context.identity,
    stillAllowed: async (now) => mayReadLogs(now, instance).allowed,
    checkMs: context.leaseCheckMs,
  });
  try {
    yield* make(AbortSignal.any([closed, lease.signal]));
  } catch (error) {
    if (!lease.signal.aborted) throw error;
  } finally {
    lease.end();
  }
}

function lastEventNumber(request: FastifyRequest): number | undefined {
  const header = request.headers['last-event-id'];
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
