import { fromJson } from '@bufbuild/protobuf';
import { messageOf } from '@haic/kit/errors.ts';
import type { EventRequest, TrailClient } from './client.ts';
import { CreateEventRequestSchema } from './gen/ai/h2o/audittrail/v1/audit_trail_pb.js';
import { toldEvent } from './present.ts';
import { wrongEvent } from './refusals.ts';
import type { AuditService } from './service.ts';

/** Inside the process that has the trail, from the same JSON that others send. */
export const createLocalTrailClient = (service: AuditService): TrailClient => ({
  batchCreate: async (requests, signal) => {
    signal.throwIfAborted();
    const told = requests.map((request) => () => toldEvent(read(request)));
    const { failed } = await service.createAll(told);
    return new Map([...failed].map(([index, error]) => [index, error.message]));
  },
});

function read({ eventId, event }: EventRequest) {
  try {
    return fromJson(CreateEventRequestSchema, { eventId, event });
  } catch (error) {
    throw wrongEvent(`${messageOf(error)}.`);
  }
}
