import { listOf, orNull, Timestamp } from '@haic/kit/http/operation.ts';
import Type from 'typebox';

/** What the API on people and tokens answers, as `present.ts` shapes it. */
export const tags = { people: ['People'], tokens: ['Sessions and tokens'] };

export const PersonSchema = Type.Object(
  {
    subject: Type.String({ description: 'Stays the same for ever; `sub` of their tokens.' }),
    username: Type.String(),
    name: Type.String(),
    email: Type.String({ description: 'Empty when none is known.' }),
    roles: listOf(Type.String()),
    groups: listOf(Type.String()),
    disabled: Type.Boolean(),
    createdAt: Timestamp,
    lastSignInAt: orNull(Timestamp),
  },
  { title: 'Person', additionalProperties: false },
);

const password = Type.String({ description: 'Generated. In this answer and nowhere else.' });

export const AddedPersonSchema = Type.Object(
  { person: PersonSchema, password: Type.Optional(password) },
  { title: 'AddedPerson', additionalProperties: false },
);

export const NewPasswordSchema = Type.Object(
  { password: Type.Optional(password) },
  { title: 'NewPassword', additionalProperties: false },
);

export const TokenSchema = Type.Object(
  {
    id: Type.String(),
    kind: Type.Enum(['SESSION', 'PLATFORM_TOKEN', 'CLI_TOKEN']),
    client: orNull(Type.String({ description: 'For which it was made.' })),
    createdAt: Timestamp,
    lastUsedAt: orNull(Timestamp),
    current: Type.Boolean({ description: 'The session that the asker’s own token belongs to.' }),
  },
  { title: 'SessionOrToken', additionalProperties: false },
);
