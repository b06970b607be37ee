import { invalid } from '@haic/kit/errors.ts';

/** Someone who may sign in. The id is the token's `sub`: it never changes and is never used again. */
export interface Person {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly disabled: boolean;
  readonly createdAt: Date;
  /** With the password, at a browser. Undefined for who never did, or not since this is noted. */
  readonly lastSignInAt: Date | undefined;
}

/** What people belong to. Apps see its name in tokens; a person's own `groups` are the names of those that they are in. */
export interface Group {
  readonly id: string;
  readonly name: string;
  /** People. */
  readonly members: number;
  readonly serviceAccounts: number;
  readonly createdAt: Date;
}

export interface Role {
  readonly name: string;
  /** In plain words; empty for a role that only apps know. */
  readonly description: string;
  /** People. */
  readonly members: number;
  readonly serviceAccounts: number;
}

export interface PersonWithPassword extends Person {
  /** Undefined for who signs in through another provider only. */
  readonly passwordHash: string | undefined;
}

/** The OpenID client of one app instance. */
export interface AppClient {
  readonly instanceId: string;
  readonly appId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly name: string;
  readonly redirectUri: string;
  readonly postLogoutRedirectUri: string;
}

export interface NewPerson {
  readonly username: string;
  readonly name?: string;
  readonly email?: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
}

export interface PersonChanges {
  readonly name?: string;
  readonly email?: string;
  readonly roles?: readonly string[];
  readonly groups?: readonly string[];
  readonly disabled?: boolean;
}

export const usernamePattern = /^[a-z0-9][a-z0-9._@+-]{0,126}$/;
const labelPattern = /^[\p{L}\p{N}][\p{L}\p{N} ._:/@+-]{0,126}$/u;
const emailPattern = /^[^\s\p{C}@<>"]{1,64}@[^\s\p{C}@<>"]{1,189}$/u;

/** User names are compared without regard to case; the lower case form is the name. */
export const usernameOf = (raw: string): string => raw.trim().toLowerCase();

/** What cannot be anybody's name need not be looked up: PostgreSQL knows no NUL, for one. */
export const isUsername = (username: string): boolean => usernamePattern.test(username);

export function checkUsername(raw: string): string {
  const username = usernameOf(raw);
  if (!isUsername(username))
    throw invalid(
      'bad_username',
      'A user name has 1 to 127 letters, digits or the signs . _ @ + - and starts with a letter or digit.',
    );
  return username;
}

export const isLabel = (label: string): boolean => labelPattern.test(label);

export function checkLabels(kind: 'role' | 'group', labels: readonly string[]): string[] {
  const isRole = kind === 'role';
  const bad = labels.find((label) => !isLabel(label));
  if (bad !== undefined)
    throw invalid(
      isRole ? 'bad_role' : 'bad_group',
      `"${bad.slice(0, 40)}" cannot be a ${kind}: it starts with a letter or digit and has no control signs.`,
    );
  return [...new Set(labels)].sort();
}

/** The roles that the platform itself knows. Every other one means something to apps only. */
export const platformRoles: ReadonlyMap<string, string> = new Map([
  [
    'admin',
    'Looks after the platform: people, groups and roles, and all apps and instances of everybody. Cannot open the pages of a private instance of somebody else, and cannot act in anybody else’s name.',
  ],
  [
    'user',
    'Imports apps and shares them, sees and runs the apps that are shared with all users, and opens the instances that are shared with all users.',
  ],
  [
    'visitor',
    'Opens their own instances, and public ones by their address. Imports nothing, sees no logs and no apps in the store.',
  ],
]);

export const checkLabel = (kind: 'role' | 'group', label: string): string =>
  checkLabels(kind, [label.trim()])[0] ?? '';

export function checkDisplayName(name: string): string {
  const trimmed = name.trim();
  if (trimmed === '' || trimmed.length > 200 || /\p{C}/u.test(trimmed))
    throw invalid('bad_name', 'A name has 1 to 200 signs and no control signs.');
  return trimmed;
}

export function checkEmail(email: string): string {
  const trimmed = email.trim();
  if (trimmed !== '' && !emailPattern.test(trimmed))
    throw invalid('bad_email', `"${trimmed.slice(0, 60)}" is not an e-mail address.`);
  return trimmed;
}

export const minimumPasswordLength = 8;
/** More than any password manager makes; a longer one is refused before it costs anything. */
export const maximumPasswordLength = 256;

export function checkNewPassword(password: string, username: string): string {
  if (password.length < minimumPasswordLength)
    throw invalid('weak_password', `A password needs at least ${minimumPasswordLength} characters.`);
  if (password.length > maximumPasswordLength)
    throw invalid('weak_password', `A password has at most ${maximumPasswordLength} characters.`);
  if (password.toLowerCase() === username)
    throw invalid('weak_password', 'The password must not be the user name.');
  return password;
}
