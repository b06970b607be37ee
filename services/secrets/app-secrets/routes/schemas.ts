import { type Static, Type } from '@fastify/type-provider-typebox';
import { invalid } from '@haic/kit/errors.ts';
import { listOf, Timestamp } from '@haic/kit/http/operation.ts';
import type { SecretValues } from '../model.ts';
import type { SecretAt } from '../service.ts';

export const tags = ['Secrets'];
const deed = 'keep secrets for apps' as const;
/** Where it is kept is not known of what is refused: the parameters say which one was meant. */
const meant = { resource: '//secure-store/secrets/{name}', parameters: ['visibility', 'parent'] };

/** What is done is told of by the secure store, in one transaction with it; what is refused, from here. */
export const doing = (action: string, readOnly = false) => ({
  deed,
  audit: { action, ...meant, readOnly, when: 'refused' as const },
});

/** That somebody asks what there is, is told of only where they may not. */
export const reading = (action: string) => ({
  deed,
  audit: { action, ...meant, readOnly: true, when: 'denied' as const },
});

export const VisibilitySchema = Type.Union(
  [Type.Literal('PRIVATE'), Type.Literal('ALL_USERS'), Type.Literal('APP')],
  { title: 'SecretVisibility' },
);

const parent = Type.String({
  maxLength: 100,
  pattern: '^[^\\u0000]*$',
  description: '`app:<name of the app>` for APP; else left out.',
});

/** Not checked for its form: what is no name is a secret that does not exist. */
export const NameParams = Type.Object({ name: Type.String({ description: 'Of the secret.' }) });

export const PlaceQuery = Type.Object({
  visibility: Type.Optional(VisibilitySchema),
  parent: Type.Optional(parent),
});

export const placeFields = { visibility: Type.Optional(VisibilitySchema), parent: Type.Optional(parent) };

export const ValuesSchema = Type.Record(
  Type.String(),
  Type.Union([
    Type.String({ description: 'A text.' }),
    Type.Object({ base64: Type.String() }, { additionalProperties: false, description: 'What is no text.' }),
  ]),
  { title: 'SecretValues', description: 'By key.' },
);

const secret = {
  name: Type.String(),
  visibility: VisibilitySchema,
  parent: Type.String({ description: '`app:<name of the app>` for APP, else empty.' }),
  keys: listOf(Type.String(), { description: 'Sorted. Values are never listed.' }),
  owner: Type.Object(
    { subject: Type.String(), username: Type.String() },
    { title: 'Owner', additionalProperties: false },
  ),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  updatedBy: Type.String({ description: 'User name of who put there what it holds now.' }),
  canChange: Type.Boolean(),
  canReveal: Type.Boolean(),
};

export const SecretSchema = Type.Object(secret, { title: 'Secret', additionalProperties: false });

export const SecretDetailsSchema = Type.Object(
  {
    ...secret,
    usedBy: Type.Object(
      {
        apps: listOf(
          Type.Object(
            {
              id: Type.String({ format: 'uuid' }),
              name: Type.String(),
              title: Type.String(),
              version: Type.String(),
              owner: Type.String({ description: 'User name.' }),
              keys: listOf(Type.String(), { description: 'That app.toml names; one may be missing.' }),
            },
            { additionalProperties: false },
          ),
        ),
        others: Type.Integer({ description: 'How many apps more, which one may not see.' }),
      },
      { additionalProperties: false },
    ),
  },
  { title: 'SecretDetails', additionalProperties: false },
);

export const secretAt = (
  { name }: Static<typeof NameParams>,
  { visibility, parent: app = '' }: Static<typeof PlaceQuery>,
): SecretAt => ({ name, visibility, parent: app });

/** Says which key is wrong and never what it holds. */
export function readValues(sent: Static<typeof ValuesSchema>): SecretValues {
  return new Map(Object.entries(sent).map(([key, value]) => [key, readValue(key, value)]));
}

function readValue(key: string, value: string | { base64: string }): Uint8Array {
  if (typeof value === 'string') {
    if (value.isWellFormed()) return Buffer.from(value);
    throw unreadable(key, 'holds halves of characters; send it in base64');
  }
  const bytes = Buffer.from(value.base64, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') === value.base64.replace(/=+$/, '')) return bytes;
  throw unreadable(key, 'is not standard base64');
}

const unreadable = (key: string, why: string) =>
  invalid('invalid_secret', `The value of the key ${JSON.stringify(key.slice(0, 100))} ${why}.`);
