import { readFileSync } from 'node:fs';
import { messageOf } from '@haic/kit/errors.ts';
import { parse as parseToml } from 'smol-toml';
import { isLabel } from '../model.ts';

/** Another OpenID provider whose people may sign in at Haic's own issuer. */
export interface UpstreamProvider {
  /** Part of the redirect address that is registered there: it never changes. */
  readonly alias: string;
  /** On the button of the sign-in page. */
  readonly title: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: readonly string[];
  /** Claims are named by path: `realm_access.roles`. */
  readonly usernameClaim: string;
  /** Roles of everybody who comes from there. */
  readonly everybody: readonly string[];
  readonly roleClaim: string | undefined;
  /** From a value of the role claim to roles of Haic. */
  readonly roles: ReadonlyMap<string, readonly string[]>;
  readonly groupClaim: string | undefined;
  readonly groupPrefix: string;
  /** The provider proves who owns an address, so it may become the person's. */
  readonly trustEmail: boolean;
  /** Who has no account here gets one; otherwise only who proves an account of theirs comes in. */
  readonly newPeople: boolean;
}

/** JSON, or the path of a JSON or TOML file. Throws one Error that says all that is wrong, and no secret. */
export function parseUpstreamProviders(raw: string): readonly UpstreamProvider[] {
  const problems: string[] = [];
  const providers = entriesOf(readSource(raw)).map((entry, index) => providerOf(entry, index, problems));
  for (const { alias } of providers)
    if (providers.filter((other) => other.alias === alias).length > 1)
      problems.push(`${alias}: the alias is there more than once.`);
  if (problems.length > 0) throw new Error([...new Set(problems)].join(' '));
  return providers;
}

function readSource(raw: string): unknown {
  const inline = /^\s*[[{]/.test(raw);
  const text = inline ? raw : readText(raw);
  const toml = !inline && raw.endsWith('.toml');
  try {
    return toml ? parseToml(text) : JSON.parse(text);
  } catch {
    // The parsers quote what they could not read, and that may be the secret.
    throw new Error(
      `${inline ? 'is not valid JSON' : `names ${raw}, which is not valid ${toml ? 'TOML' : 'JSON'}`}.`,
    );
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`names ${path}, which cannot be read (${messageOf(error)}).`);
  }
}

type Table = Readonly<Record<string, unknown>>;
const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A list, or a table with the list in it: `[[provider]]`. */
function entriesOf(source: unknown): readonly unknown[] {
  const list = isTable(source) ? source.provider : source;
  if (Array.isArray(list) && list.length > 0) return list;
  throw new Error('must be a list of providers, in TOML each as [[provider]].');
}

const known = [
  'alias',
  'title',
  'issuer',
  'clientId',
  'clientSecret',
  'clientSecretFile',
  'scopes',
  'usernameClaim',
  'everybody',
  'roleClaim',
  'roles',
  'groupClaim',
  'groupPrefix',
  'trustEmail',
  'newPeople',
];
const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';
const isTextList = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const isRoles = (value: unknown): value is string[] => isTextList(value) && value.every(isLabel);

function providerOf(entry: unknown, index: number, problems: string[]): UpstreamProvider {
  const table: Table = isTable(entry) ? entry : {};
  const label = isText(table.alias) ? table.alias.slice(0, 40) : `No. ${index + 1}`;
  const complain = (what: string) => problems.push(`${label}: ${what}`);
  /** The value of a key if it is good; otherwise the fallback, with a complaint unless the key may be absent and is. */
  const read = <T>(
    key: string,
    isGood: (value: unknown) => value is T,
    what: string,
    fallback: T,
    required = false,
  ): T => {
    const value = table[key];
    if (isGood(value)) return value;
    if (value !== undefined || required) complain(`${key} must be ${what}.`);
    return fallback;
  };
  const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
  const isString = (value: unknown): value is string => typeof value === 'string';
  const isAlias = (value: unknown): value is string =>
    isText(value) && /^[a-z0-9][a-z0-9-]{0,30}$/.test(value);
  const isPrefix = (value: unknown): value is string => isString(value) && (value === '' || isLabel(value));

  for (const key of Object.keys(table))
    if (!known.includes(key)) complain(`"${key}" is not known; use ${known.join(', ')}.`);
  const alias = read('alias', isAlias, 'a short word of a-z, 0-9 and -', '', true);
  const scopes = read('scopes', isTextList, 'a list of scopes', ['openid', 'profile', 'email']);
  if (!scopes.includes('openid')) complain('scopes must have openid among them.');
  const roleClaim = read('roleClaim', isText, 'the name of a claim', '');
  const roles = rolesOf(table.roles, complain);
  if (roles.size > 0 && roleClaim === '') complain('roles needs roleClaim: the claim that has these values.');
  const groupClaim = read('groupClaim', isText, 'the name of a claim', '');
  return {
    alias,
    title: read('title', isText, 'a text for the button', alias).trim(),
    issuer: issuerOf(table.issuer, complain),
    clientId: read('clientId', isText, 'the id of Haic’s client there', '', true),
    clientSecret: secretOf(table, complain),
    scopes,
    usernameClaim: read('usernameClaim', isText, 'the name of a claim', 'preferred_username'),
    everybody: read('everybody', isRoles, 'a list of roles', []),
    roleClaim: roleClaim === '' ? undefined : roleClaim,
    roles,
    groupClaim: groupClaim === '' ? undefined : groupClaim,
    groupPrefix: read('groupPrefix', isPrefix, 'the beginning of a group’s name, like "corp/"', ''),
    trustEmail: read('trustEmail', isBoolean, 'true or false', false),
    newPeople: read('newPeople', isBoolean, 'true or false', false),
  };
}

function rolesOf(value: unknown, complain: (what: string) => void): ReadonlyMap<string, readonly string[]> {
  if (value === undefined) return new Map();
  const entries = isTable(value) ? Object.entries(value) : undefined;
  const isGood = (entry: [string, unknown]): entry is [string, string[]] => isRoles(entry[1]);
  if (entries?.every(isGood)) return new Map(entries);
  complain('roles must name roles for values of roleClaim: { "value" = ["role"] }.');
  return new Map();
}

/** Passwords and codes travel to it, so it is plain only where nothing leaves the machine. */
function issuerOf(value: unknown, complain: (what: string) => void): string {
  const url = isText(value) && URL.canParse(value) ? new URL(value) : undefined;
  if (
    !isText(value) ||
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    complain('issuer must be the https address of the provider, as its tokens name it.');
    return '';
  }
  const onThisMachine = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'http:' && !onThisMachine)
    complain('issuer must be https, unless it is on this machine.');
  return value;
}

function secretOf(table: Table, complain: (what: string) => void): string {
  const { clientSecret, clientSecretFile } = table;
  if ((clientSecret === undefined) === (clientSecretFile === undefined)) {
    complain('needs clientSecret or clientSecretFile, one of them.');
    return '';
  }
  if (isText(clientSecret)) return clientSecret;
  if (!isText(clientSecretFile)) {
    complain('clientSecret must be a text, and clientSecretFile the path of a file.');
    return '';
  }
  try {
    const secret = readFileSync(clientSecretFile, 'utf8').trim();
    if (secret === '') complain(`clientSecretFile: ${clientSecretFile} is empty.`);
    return secret;
  } catch (error) {
    complain(`clientSecretFile: ${clientSecretFile} cannot be read (${messageOf(error)}).`);
    return '';
  }
}
