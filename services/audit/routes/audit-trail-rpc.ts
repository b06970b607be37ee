import { callerOf, type ServedService, serve } from '@haic/kit/grpc-gateway/service.ts';
import { AuditTrailService } from '../gen/ai/h2o/audittrail/v1/audit_trail_pb.js';
import type { NamesOf } from '../login-names.ts';
import type { AuditEvent } from '../model.ts';
import { filterOf, toldEvent, wireBatch, wireEvent, wirePage } from '../present.ts';
import type { AuditService } from '../service.ts';

/** The three operations of the contract. Only parts of the platform record; who may search what is `policy.ts`. */
export const auditTrailRpc = (
  service: AuditService,
  namesOf: NamesOf,
  /** Milliseconds since the epoch. */
  now: () => number,
): ServedService =>
  serve(
    AuditTrailService,
    {
      createEvent: async ({ eventId, event }) => {
        const created = await service.create(
          toldEvent({ eventId, ...(event === undefined ? {} : { event }) }),
        );
        return { event: wireEvent(created, await namesOf([created.principal])) };
      },
      batchCreateEvents: async ({ requests }) => {
        const batch = await service.createAll(requests.map((request) => () => toldEvent(request)));
        return wireBatch(batch, await namesOf(principalsOf(batch.events)));
      },
      searchEvents: async ({ filter, pageSize, pageToken }, context) => {
        const page = await service.search(
          callerOf(context),
          filterOf(filter, BigInt(Math.trunc(now())) * 1000n),
          { pageSize, pageToken, signal: context.signal },
        );
        return wirePage(page, await namesOf(principalsOf(page.events)));
      },
    },
    {
      unaudited: 'it is the trail',
      methods: {
        createEvent: { deed: 'record events' },
        batchCreateEvents: { deed: 'record events' },
        searchEvents: { deed: 'search events' },
      },
    },
  );

const principalsOf = (events: readonly AuditEvent[]): string[] => [
  ...new Set(events.map(({ principal }) => principal)),
];
