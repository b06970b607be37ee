import Type from 'typebox';

/** Shapes only; what a name or role may be is the model's rule, with a message that helps. */
export const byUsername = Type.Object({ username: Type.String({ maxLength: 128 }) });
const labels = Type.Array(Type.String({ maxLength: 128 }), { maxItems: 100 });

/** PostgreSQL knows no NUL. */
export const searchText = Type.String({ maxLength: 200, pattern: '^[^\\u0000]*$' });

export const newUser = Type.Object(
  {
    username: Type.String({ maxLength: 128 }),
    password: Type.Optional(Type.String({ maxLength: 4096 })),
    roles: Type.Optional(labels),
    groups: Type.Optional(labels),
    name: Type.Optional(Type.String({ maxLength: 400 })),
    email: Type.Optional(Type.String({ maxLength: 400 })),
  },
  { additionalProperties: false },
);

/** As an administrator adds one: the password is always generated. */
export const newPerson = Type.Omit(newUser, ['password'], { additionalProperties: false });

export const userChanges = Type.Object(
  {
    roles: Type.Optional(labels),
    groups: Type.Optional(labels),
    name: Type.Optional(Type.String({ maxLength: 400 })),
    email: Type.Optional(Type.String({ maxLength: 400 })),
    disabled: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

export const newPassword = Type.Object(
  { password: Type.Optional(Type.String({ maxLength: 4096 })) },
  { additionalProperties: false },
);
