import { Type } from '@fastify/type-provider-typebox';
import { listOf, orNull, Timestamp } from '@haic/kit/http/operation.ts';
import { stageNames } from '../model.ts';

export const tags = ['Instances'];

export const VisibilitySchema = Type.Union(
  [Type.Literal('PRIVATE'), Type.Literal('ALL_USERS'), Type.Literal('PUBLIC')],
  { title: 'Visibility' },
);

const uuid = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
export const IdParams = Type.Object({ id: Type.String({ pattern: uuid }) });

const Owner = Type.Object(
  { subject: Type.String(), username: Type.String() },
  { title: 'Owner', additionalProperties: false },
);

const Failure = Type.Object(
  {
    exitCode: orNull(Type.Integer()),
    reason: Type.String(),
    message: Type.String(),
    finishedAt: Timestamp,
  },
  { additionalProperties: false, description: 'Of the process that ran before.' },
);

const Stage = Type.Object(
  {
    name: Type.Enum([...stageNames]),
    state: Type.Enum(['waiting', 'running', 'done', 'failed']),
    startedAt: Type.Optional(Timestamp),
    finishedAt: Type.Optional(Timestamp),
    usualSeconds: Type.Optional(Type.Number({ description: 'How long this step took lately.' })),
  },
  { title: 'Stage', additionalProperties: false },
);

export const InstanceSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    app: Type.Object(
      {
        id: Type.String(),
        name: Type.String(),
        version: Type.String(),
        title: Type.String(),
        icon: orNull(Type.String()),
      },
      { additionalProperties: false },
    ),
    owner: Owner,
    visibility: VisibilitySchema,
    status: Type.Enum(['PENDING', 'STARTING', 'DEPLOYED', 'FAILED', 'SUSPENDED', 'TERMINATING']),
    reason: Type.String({ description: 'A CamelCase word, or empty.' }),
    message: Type.String({ description: 'The reason in plain words, or empty.' }),
    since: Timestamp,
    url: Type.String({ description: 'Where people open it.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
    suspendAfter: Type.Union([Type.Literal('never'), Type.Integer({ description: 'Seconds.' })]),
    suspendAt: orNull(Timestamp),
    restartCount: Type.Integer(),
    lastFailure: Type.Optional(Failure),
    stages: listOf(Stage),
    canManage: Type.Boolean(),
    canSetSuspendAfter: Type.Boolean(),
    canOpen: Type.Boolean(),
    canReadLogs: Type.Boolean(),
  },
  { title: 'Instance', additionalProperties: false },
);

/** The pod view of `h2o instance status`. */
export const InstanceStatusSchema = Type.Object(
  {
    status: Type.String({ description: 'In the words of Kubernetes: Running, CrashLoopBackOff, …' }),
    reason: Type.String(),
    message: Type.String(),
    exitCode: orNull(Type.Integer()),
    restartCount: Type.Integer(),
    lastFailure: Type.String(),
    since: Timestamp,
  },
  { title: 'InstanceStatus', additionalProperties: false },
);

export const MeSchema = Type.Object(
  {
    subject: Type.String(),
    username: Type.String(),
    name: Type.String(),
    email: Type.String(),
    roles: listOf(Type.String()),
    groups: listOf(Type.String()),
    isAdmin: Type.Boolean(),
    fullAccess: Type.Boolean(),
    isolation: Type.Object(
      {
        kind: Type.String({ description: 'Of the runtime.' }),
        isolation: listOf(Type.String(), { description: 'What separates one app from another.' }),
        missing: listOf(
          Type.Object({ what: Type.String(), remedy: Type.String() }, { additionalProperties: false }),
          { description: 'What this machine cannot give, and how to get it.' },
        ),
        trouble: Type.Optional(
          Type.Object(
            { what: Type.String(), remedy: Type.String() },
            {
              additionalProperties: false,
              description: 'What is wrong at this moment with what apps run on; absent when nothing is.',
            },
          ),
        ),
      },
      { additionalProperties: false },
    ),
    environment: Type.Object(
      {
        publicUrl: Type.String(),
        issuerUrl: Type.String(),
        platformClientId: Type.String(),
        cliClientId: Type.String(),
        tokenEndpoint: Type.String(),
      },
      { additionalProperties: false, description: 'What clients are to be configured with.' },
    ),
  },
  { title: 'Me', additionalProperties: false },
);
