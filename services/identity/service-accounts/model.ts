import { serviceAccountClientPrefix } from '@haic/kit/auth/principal.ts';
import { invalid } from '@haic/kit/errors.ts';

/** Why an account gets no token, or that it does. */
export type ServiceAccountState = 'ACTIVE' | 'DISABLED' | 'EXPIRED' | 'OWNER_UNAVAILABLE';

/** A machine that may do what a person may: a pipeline, another system. The id is its tokens' `sub` and never used again. */
export interface ServiceAccount {
  readonly id: string;
  /** Of its own among people and accounts: whoever owns an app is told by name. */
  readonly name: string;
  readonly description: string;
  /** Who answers for it. With this person's account it ends too. */
  readonly owner: { readonly id: string; readonly username: string | undefined };
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly disabled: boolean;
  readonly expiresAt: Date | undefined;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | undefined;
  readonly state: ServiceAccountState;
  /** When the secret was made that is to be used, and until when the one before is still good. */
  readonly secretCreatedAt: Date | undefined;
  readonly earlierSecretEndsAt: Date | undefined;
}

export interface NewServiceAccount {
  readonly name: string;
  readonly description: string;
  readonly owner: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly expiresAt: Date | undefined;
}

export interface ServiceAccountChanges {
  readonly description?: string;
  /** User name. */
  readonly owner?: string;
  readonly roles?: readonly string[];
  readonly groups?: readonly string[];
  /** Null for never. */
  readonly expiresAt?: Date | null;
  readonly disabled?: boolean;
}

/** Stands in the client's id as it is, so it needs no escaping anywhere. */
export const accountNamePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export const clientIdOf = (name: string): string => `${serviceAccountClientPrefix}${name}`;
export const isAccountClient = (clientId: string | undefined): boolean =>
  clientId?.startsWith(serviceAccountClientPrefix) === true;
export const nameOfClient = (clientId: string): string => clientId.slice(serviceAccountClientPrefix.length);

export function checkAccountName(raw: string): string {
  const name = raw.trim().toLowerCase();
  if (!accountNamePattern.test(name))
    throw invalid(
      'bad_name',
      'The name of a service account has 1 to 63 letters, digits and dashes, and begins and ends with a letter or digit.',
    );
  return name;
}

export function checkDescription(raw: string): string {
  const text = raw.trim();
  if (text.length > 400 || /\p{Cc}/u.test(text))
    throw invalid('bad_description', 'A description has at most 400 signs, in one line.');
  return text;
}

export function checkExpiry(at: Date | undefined, now: Date): Date | undefined {
  if (at !== undefined && !(at > now))
    throw invalid('bad_expiry', 'An account cannot end in the past. Disable or remove it instead.');
  return at;
}
