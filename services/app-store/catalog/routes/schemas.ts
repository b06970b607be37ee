import { Type } from '@fastify/type-provider-typebox';
import { listOf, orNull, Timestamp } from '@haic/kit/http/operation.ts';

export const VisibilitySchema = Type.Union(
  [Type.Literal('PRIVATE'), Type.Literal('ALL_USERS'), Type.Literal('PUBLIC')],
  { title: 'Visibility' },
);

/** Not checked for its form: what is no id is an app that does not exist. */
export const IdParams = Type.Object({ id: Type.String({ description: 'Of the app.' }) });

const Owner = Type.Object(
  { subject: Type.String(), username: Type.String() },
  { title: 'Owner', additionalProperties: false },
);

const Precondition = Type.Object(
  {
    status: Type.Union([Type.Literal('PASSED'), Type.Literal('FAILED')]),
    problems: listOf(
      Type.Object(
        {
          code: Type.String({ description: 'Stable, for programs.' }),
          message: Type.String({ description: 'In plain words, with the remedy.' }),
          blocks: Type.Boolean({ description: 'False for a warning: the app runs.' }),
        },
        { additionalProperties: false },
      ),
    ),
    checkedAt: Timestamp,
  },
  { title: 'Precondition', additionalProperties: false },
);

const summary = {
  id: Type.String({ format: 'uuid' }),
  name: Type.String(),
  version: Type.String(),
  title: Type.String(),
  description: Type.String(),
  longDescription: Type.String({ description: 'Markdown. Empty in lists.' }),
  icon: orNull(Type.String({ description: 'Address of the image.' })),
  screenshots: listOf(Type.String()),
  owner: Owner,
  visibility: VisibilitySchema,
  lifecycle: Type.Union([Type.Literal('ON_DEMAND'), Type.Literal('MANAGED'), Type.Literal('LINK')]),
  linkAddress: orNull(Type.String({ description: 'Of a LINK app.' })),
  tags: listOf(Type.String()),
  mode: Type.Union([Type.Literal('wave'), Type.Literal('python')]),
  routingMode: Type.Union([Type.Literal('DOMAIN'), Type.Literal('BASE_URL')]),
  oidc: Type.Boolean(),
  runtimeVersion: orNull(Type.String()),
  bundleSize: Type.Integer({ description: 'Bytes.' }),
  precondition: Precondition,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  canRun: Type.Boolean(),
  cannotRunBecause: Type.String({ description: 'In plain words; empty when one may run it.' }),
  canManage: Type.Boolean(),
  canDownload: Type.Boolean(),
};

/** One (name, version), as lists show it. */
export const AppSchema = Type.Object(summary, { title: 'App', additionalProperties: false });

export const AppDetailsSchema = Type.Object(
  {
    ...summary,
    versions: listOf(
      Type.Object(
        {
          id: Type.String({ format: 'uuid' }),
          version: Type.String(),
          createdAt: Timestamp,
          canRun: Type.Boolean(),
          precondition: Precondition.properties.status,
        },
        { additionalProperties: false },
      ),
      { description: 'Every version of this name that one may see, the highest first.' },
    ),
  },
  { title: 'AppDetails', additionalProperties: false },
);

export const tags = ['Apps'];
