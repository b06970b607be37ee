import { listOf, orNull, Timestamp } from '@haic/kit/http/operation.ts';
import Type from 'typebox';

export const ServiceAccountSchema = Type.Object(
  {
    id: Type.String({ description: '`sub` of its tokens; never used again.' }),
    name: Type.String({ description: '`preferred_username` of its tokens.' }),
    clientId: Type.String({ description: 'For the grant of client credentials.' }),
    description: Type.String(),
    owner: orNull(Type.String({ description: 'Who answers for it; null when that person is gone.' })),
    roles: listOf(Type.String()),
    groups: listOf(Type.String()),
    state: Type.Enum(['ACTIVE', 'DISABLED', 'EXPIRED', 'OWNER_UNAVAILABLE'], {
      description: 'Only an active one gets tokens.',
    }),
    disabled: Type.Boolean(),
    expiresAt: orNull(Timestamp),
    createdAt: Timestamp,
    lastUsedAt: orNull(Timestamp),
    secretCreatedAt: orNull(Timestamp),
    earlierSecretEndsAt: orNull(Timestamp),
  },
  { title: 'ServiceAccount', additionalProperties: false },
);

export const WithSecretSchema = Type.Object(
  {
    account: ServiceAccountSchema,
    secret: Type.Optional(Type.String({ description: 'In this answer and nowhere else.' })),
  },
  { title: 'ServiceAccountWithSecret', additionalProperties: false },
);

const labels = Type.Array(Type.String({ maxLength: 128 }), { maxItems: 100 });
/** As every date of this API; what is no time is refused below. */
const moment = Type.String({ maxLength: 40, pattern: '^\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z$' });
const changeable = {
  description: Type.Optional(Type.String({ maxLength: 800 })),
  roles: Type.Optional(labels),
  groups: Type.Optional(labels),
};

export const byAccountName = Type.Object({ name: Type.String({ maxLength: 128 }) });
export const newServiceAccount = Type.Object(
  {
    name: Type.String({ maxLength: 128 }),
    owner: Type.String({ maxLength: 128, description: 'User name.' }),
    ...changeable,
    expiresAt: Type.Optional(moment),
  },
  { additionalProperties: false },
);
export const serviceAccountChanges = Type.Object(
  {
    ...changeable,
    owner: Type.Optional(Type.String({ maxLength: 128, description: 'User name.' })),
    expiresAt: Type.Optional(Type.Union([moment, Type.Null()])),
    disabled: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
/** A day by default, so that nothing stops that reads the secret at its next start; 0 when it leaked. */
export const rotation = Type.Union([
  Type.Object(
    { overlapHours: Type.Optional(Type.Integer({ minimum: 0, maximum: 168 })) },
    { additionalProperties: false },
  ),
  Type.Null(),
]);
export const defaultOverlapHours = 24;
