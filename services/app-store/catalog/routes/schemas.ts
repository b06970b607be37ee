import { Type } from '@fastify/type-provider-typebox';

export const VisibilitySchema = Type.Union([
  Type.Literal('PRIVATE'),
  Type.Literal('ALL_USERS'),
  Type.Literal('PUBLIC'),
]);

/** Not checked for its form: what is no id is an app that does not exist. */
export const IdParams = Type.Object({ id: Type.String() });
