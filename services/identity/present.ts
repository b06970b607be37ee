import type { Group, Person, Role } from './model.ts';
import type { PersonalToken } from './tokens.ts';

export const presentPerson = (person: Person) => ({
  subject: person.id,
  username: person.username,
  name: person.name,
  email: person.email,
  roles: person.roles,
  groups: person.groups,
  disabled: person.disabled,
  createdAt: person.createdAt.toISOString(),
  lastSignInAt: person.lastSignInAt?.toISOString() ?? null,
});

export const presentGroup = ({ id, name, members, serviceAccounts, createdAt }: Group) => ({
  id,
  name,
  members,
  serviceAccounts,
  createdAt: createdAt.toISOString(),
});

export const presentRole = ({ name, description, members, serviceAccounts }: Role) => ({
  name,
  description,
  members,
  serviceAccounts,
});

/** The answer of the userinfo endpoint, and what the ID token says of the person. */
export const personClaims = (person: Person) => ({
  sub: person.id,
  preferred_username: person.username,
  name: person.name,
  ...(person.email === '' ? {} : { email: person.email, email_verified: true }),
  realm_access: { roles: [...person.roles] },
  groups: [...person.groups],
});

export const presentToken = (token: PersonalToken) => ({
  id: token.id,
  kind: token.kind,
  client: token.client ?? null,
  createdAt: token.createdAt.toISOString(),
  lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
  current: token.current,
});
