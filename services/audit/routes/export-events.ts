import { Readable } from 'node:stream';
import { create } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Deed } from '@haic/kit/auth/party-policy.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { parseJson } from '@haic/kit/grpc-gateway/json-body.ts';
import { readInto } from '@haic/kit/grpc-gateway/json-in.ts';
import { usualRules } from '@haic/kit/grpc-gateway/service.ts';
import { textual } from '@haic/kit/http/operation.ts';
import { type FastifyRequest, type HttpServer, principalOf } from '@haic/kit/http/server.ts';
import Type from 'typebox';
import type { ExportFormat } from '../export.ts';
import type { Filter } from '../filter.ts';
import { FilterSchema } from '../gen/ai/h2o/audittrail/v1/audit_trail_pb.js';
import { matcherOf } from '../matcher.ts';
import { filterOf } from '../present.ts';
import { wrongFilter } from '../refusals.ts';

const types = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8' } as const;

const schema = {
  operationId: 'exportAuditEvents',
  summary: 'What happened, as a file: all that a filter matches, newest first.',
  tags: ['Audit trail'],
  querystring: Type.Object({
    format: Type.Union([Type.Literal('ndjson'), Type.Literal('csv')], {
      description: 'A line of JSON an event, as the API gives it; or CSV with a header.',
    }),
    filter: Type.Optional(
      Type.String({ maxLength: 2_000, description: 'The `filter` of a search, as JSON.' }),
    ),
  }),
  response: { 200: textual([types.ndjson, 'text/csv'], 'The events.') },
};

interface Parts {
  /** Throws unless who asks may search by this filter. */
  readonly allow: (request: FastifyRequest, filter: Filter) => Promise<void>;
  readonly exported: (filter: Filter, format: ExportFormat, signal: AbortSignal) => AsyncIterable<string>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** GET /api/v1/audit-events/export, and the same for `./haic audit export`. */
export function registerExport(
  server: HttpServer,
  parts: Omit<Parts, 'allow'> & {
    readonly enforceSearch: (who: ReturnType<typeof principalOf>, filter: Filter) => Promise<void>;
  },
): void {
  const asWhoAsks: Parts['allow'] = (request, filter) => parts.enforceSearch(principalOf(request), filter);
  register(server, '/api/v1/audit-events/export', 'search events', { ...parts, allow: asWhoAsks });
  register(server, '/internal/audit/export', 'operate', { ...parts, allow: async () => undefined });
}

function register(plain: HttpServer, url: string, deed: Deed, { allow, exported, now }: Parts): void {
  const server = plain.withTypeProvider<TypeBoxTypeProvider>();
  const audit = {
    action: 'actions/audittrail/events/EXPORT',
    resource: '//audittrail/events',
    parameters: [],
    readOnly: true,
  };
  server.get(url, { schema, config: { deed, audit } }, async (request, reply) => {
    const { format, filter: text = '' } = request.query;
    const filter = filterOf(readFilter(text), BigInt(Math.trunc(now())) * 1000n);
    // Before the answer begins, which cannot be a refusal any more then.
    matcherOf(filter);
    await allow(request, filter);
    const closed = new AbortController();
    reply.raw.once('close', () => closed.abort());
    return reply
      .type(types[format])
      .header('cache-control', 'no-store')
      .header('x-content-type-options', 'nosniff')
      .header('content-disposition', `attachment; filename="audit-trail.${format}"`)
      .send(
        Readable.from(untilClosed(exported(filter, format, closed.signal), closed.signal), {
          highWaterMark: 2,
        }),
      );
  });
}

function readFilter(text: string) {
  const wire = create(FilterSchema);
  try {
    readInto(FilterSchema, wire, parseJson(Buffer.from(text)), usualRules);
    return wire;
  } catch (error) {
    throw wrongFilter(error instanceof ConnectError ? error.rawMessage : messageOf(error));
  }
}

/** A reader that leaves is no error. */
async function* untilClosed(source: AsyncIterable<string>, closed: AbortSignal): AsyncGenerator<string> {
  try {
    yield* source;
  } catch (error) {
    if (!closed.aborted) throw error;
  }
}
