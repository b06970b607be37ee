import { Type } from '@fastify/type-provider-typebox';
import { listOf } from '@haic/kit/http/operation.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import { presentBelongings, presentOutcome } from '../present.ts';
import type { RouteContext, SchedulerServer } from './context.ts';
import { InstanceSchema, VisibilitySchema } from './schemas.ts';

const tags = ['People'];
const params = Type.Object({ username: Type.String({ maxLength: 128 }) });
const ids = Type.Array(Type.String({ maxLength: 100 }), { maxItems: 1000 });

const OwnedApp = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    version: Type.String(),
    title: Type.String(),
    visibility: VisibilitySchema,
  },
  { title: 'OwnedApp', additionalProperties: false },
);
const { id, app, status, visibility } = InstanceSchema.properties;
const OwnedInstance = Type.Object(
  { id, app: Type.Omit(app, ['icon'], { additionalProperties: false }), status, visibility },
  { title: 'OwnedInstance', additionalProperties: false },
);
const Outcome = Type.Object(
  {
    id: Type.String(),
    problem: Type.Optional(
      Type.Object(
        { code: Type.String(), message: Type.String({ description: 'In plain words.' }) },
        { additionalProperties: false, description: 'Why it was not handed over; absent when it was.' },
      ),
    ),
  },
  { title: 'HandOverOutcome', additionalProperties: false },
);

const belongings = {
  operationId: 'getBelongings',
  summary: 'The apps and instances of a person, also of one who is gone; for administrators.',
  tags,
  params,
  response: {
    200: Type.Object(
      {
        apps: listOf(OwnedApp),
        instances: listOf(OwnedInstance),
        running: Type.Integer({ description: 'Instances that run or are to run.' }),
      },
      { title: 'Belongings', additionalProperties: false },
    ),
  },
};

const handOver = {
  operationId: 'handOverBelongings',
  summary: 'Gives a person’s apps and instances to somebody else: all, or those that are named.',
  tags,
  params,
  body: Type.Object(
    {
      to: Type.String({ maxLength: 128, description: 'User name of the new owner.' }),
      apps: Type.Optional(ids),
      instances: Type.Optional(ids),
    },
    { additionalProperties: false },
  ),
  response: {
    200: Type.Object(
      { apps: listOf(Outcome), instances: listOf(Outcome) },
      { title: 'HandOverOutcomes', additionalProperties: false },
    ),
  },
};

/** GET /api/v1/people/:username/belongings and POST …/hand-over. Here, because identity knows neither apps nor instances. */
export function belongingsRoutes(server: SchedulerServer, context: RouteContext): void {
  server.get(
    '/api/v1/people/:username/belongings',
    { schema: belongings, config: { deed: 'administer the store' } },
    async (request) =>
      presentBelongings(await context.belongings.of(principalOf(request), request.params.username)),
  );
  server.post(
    '/api/v1/people/:username/hand-over',
    {
      schema: handOver,
      config: {
        deed: 'administer the store',
        audit: {
          action: 'actions/appstore/belongings/HANDOVER',
          resource: '//appstore/people/{username}/belongings',
          parameters: ['to'],
        },
      },
    },
    async (request) => {
      const actor = principalOf(request);
      const done = await context.belongings.handOver(actor, request.params.username, request.body);
      return { apps: done.apps.map(presentOutcome), instances: done.instances.map(presentOutcome) };
    },
  );
}
