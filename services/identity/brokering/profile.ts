import { createHash } from 'node:crypto';
import { checkDisplayName, checkEmail, isLabel, isUsername, usernameOf } from '../model.ts';
import type { UpstreamProvider } from './provider-settings.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** What a provider says of a person, in terms of Haic: every value is one that a person here may have. */
export interface Profile {
  readonly subject: string;
  readonly username: string;
  readonly name: string;
  /** As claimed; '' for none. Good for asking "is this account yours?", not for believing. */
  readonly claimedEmail: string;
  /** The same, if the provider is trusted with it. */
  readonly email: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
}

/** A token carries all groups to every app: more would not fit into what they take. */
const mostGroups = 200;

export function profileOf(provider: UpstreamProvider, subject: string, claims: Claims): Profile {
  const claimedEmail = attempt(() => checkEmail(String(claimAt(claims, 'email') ?? '')), '');
  const username = usernameFrom(provider, subject, claims);
  const believable =
    provider.trustEmail && claims.email_verified !== false && claims.email_verified !== 'false';
  const values = provider.roleClaim === undefined ? [] : textsOf(claimAt(claims, provider.roleClaim));
  const groups = provider.groupClaim === undefined ? [] : textsOf(claimAt(claims, provider.groupClaim));
  return {
    subject,
    username,
    name: attempt(() => checkDisplayName(String(claimAt(claims, 'name') ?? '')), username),
    claimedEmail,
    email: believable ? claimedEmail : '',
    roles: unique([...provider.everybody, ...values.flatMap((value) => provider.roles.get(value) ?? [])]),
    groups: unique(groups.map(plainGroup).map((group) => (group === '' ? '' : provider.groupPrefix + group)))
      .filter(isLabel)
      .slice(0, mostGroups),
  };
}

/** The claims that a profile is made of: what of them the ID token lacks is asked for at the userinfo endpoint. */
export const claimsOfInterest = (provider: UpstreamProvider): readonly string[] =>
  [provider.usernameClaim, 'name', 'email', provider.roleClaim, provider.groupClaim].filter(
    (name) => name !== undefined,
  );

/** By its whole name (`https://corp.example/groups`), else by path. */
export function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>((value, step) => {
    const isTable = typeof value === 'object' && value !== null && Object.hasOwn(value, step);
    return isTable ? (value as Claims)[step] : undefined;
  }, claims);
}

/** What is not a user name here becomes one; who has none to speak of is named after the provider. */
function usernameFrom(provider: UpstreamProvider, subject: string, claims: Claims): string {
  const claimed = claimAt(claims, provider.usernameClaim);
  const plain = usernameOf(typeof claimed === 'string' ? claimed : '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9._@+-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 100);
  if (isUsername(plain)) return plain;
  return `${provider.alias}-${createHash('sha256').update(subject).digest('hex').slice(0, 10)}`;
}

/** Keycloak writes groups as paths: "/analysts". */
const plainGroup = (group: string): string => group.replace(/^\/+/, '');

const textsOf = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string');

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort();

function attempt<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}
