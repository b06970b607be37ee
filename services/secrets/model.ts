import { randomBytes } from 'node:crypto';
import { invalid, notFound } from '@haic/kit/errors.ts';

/** What is known of a secret without opening it. */
export interface Secret {
  readonly uid: string;
  /** `workspaces/<id>`, never an alias; `app:<name>` for what an app keeps for itself, which no workspace's role opens. */
  readonly parent: string;
  readonly id: string;
  readonly displayName: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** `users/<subject>`. */
  readonly creator: string;
  readonly createdAt: Date;
  readonly deleted: Deletion | undefined;
}

export interface Deletion {
  readonly by: string;
  readonly at: Date;
  readonly purgeAt: Date;
}

/** What a secret held from one moment on. It never changes. */
export interface SecretVersion {
  readonly uid: string;
  readonly secret: Pick<Secret, 'parent' | 'id'>;
  /** 1, 2, 3, …; `v3` in names. */
  readonly number: number;
  readonly creator: string;
  readonly createdAt: Date;
}

/** The key under which a secret of the secure store has its one value. Secrets that apps use may have others, or several. */
export const plainKey = 'value';

/** By key. Each value is sealed by itself, so that using one opens no other. */
export type SecretValues = ReadonlyMap<string, Uint8Array>;

export const largestValue = 64 * 1024;
export const keptAfterDeletionMs = 30 * 24 * 60 * 60 * 1000;

const idForm = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** The id that was asked for, or a new one. Throws `invalid_id` (400). */
export function checkedId(what: string, asked: string): string {
  if (asked === '') return newId();
  if (idForm.test(asked)) return asked;
  throw invalid(
    'invalid_id',
    `"${asked.slice(0, 100)}" cannot be the id of ${what}: at most 63 of a-z 0-9 and -, beginning with a letter and not ending with -.`,
  );
}

/** A letter first, as every id has it. */
const newId = (): string => `s${BigInt(`0x${randomBytes(10).toString('hex')}`).toString(36)}`;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const controls = /[\u0000-\u001f\u007f]/;
const longestDisplayName = 200;
const mostAnnotations = 64;
const largestAnnotations = 16 * 1024;

export function checkedDisplayName(text: string, longest = longestDisplayName): string {
  if (text.length > longest || controls.test(text) || !text.isWellFormed())
    throw invalid('invalid_display_name', `A display name has at most ${longest} characters, on one line.`);
  return text;
}

export function checkedAnnotations(
  annotations: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const entries = Object.entries(annotations);
  const size = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  const bad = entries.find(
    ([key, value]) =>
      key === '' || controls.test(key) || value.includes('\0') || !(key + value).isWellFormed(),
  );
  if (entries.length > mostAnnotations || size > largestAnnotations || bad !== undefined)
    throw invalid(
      'invalid_annotations',
      `A secret has at most ${mostAnnotations} annotations of ${largestAnnotations / 1024} KiB together, without empty keys and control characters.`,
    );
  return annotations;
}

export function checkedValue(value: Uint8Array): Uint8Array {
  if (value.length > largestValue)
    throw invalid(
      'secret_too_large',
      `A secret holds at most ${largestValue / 1024} KiB; this value has ${value.length} bytes. Keep large files in Drive.`,
    );
  return value;
}

export const secretName = ({ parent, id }: Pick<Secret, 'parent' | 'id'>): string =>
  `${parent}/secrets/${id}`;
export const versionName = ({ secret, number }: Pick<SecretVersion, 'secret' | 'number'>): string =>
  `${secretName(secret)}/versions/v${number}`;

/** A part of a name, of one who means no harm: what no database keeps is in none. */
const segment = String.raw`[^/\p{Cc}\p{Cs}]{1,200}`;
const workspaceForm = new RegExp(`^workspaces/${segment}$`, 'u');
const secretForm = new RegExp(`^(?<workspace>workspaces/${segment})/secrets/(?<id>${segment})$`, 'u');

/** `workspaces/<workspace>`, alias or not. */
export interface SecretPlace {
  readonly workspace: string;
  readonly id: string;
}

/** What was asked for by name; the gateway has matched its form where it came by HTTP, but nothing has where it came by gRPC. */
export function readWorkspace(parent: string): string {
  if (workspaceForm.test(parent)) return parent;
  throw invalid('invalid_name', 'The parent is not of the form workspaces/<workspace>.');
}

export function readSecretName(name: string): SecretPlace {
  const match = secretForm.exec(name);
  const { workspace, id } = match?.groups ?? {};
  if (workspace === undefined || id === undefined)
    throw invalid('invalid_name', 'The name is not of the form workspaces/<workspace>/secrets/<secret>.');
  return { workspace, id };
}

export function readVersionName(name: string): SecretPlace & { readonly version: number | 'latest' } {
  const match = /^(?<secret>.+)\/versions\/(?<version>[^/]{1,200})$/.exec(name);
  const { secret, version } = match?.groups ?? {};
  if (secret === undefined || version === undefined)
    throw invalid(
      'invalid_name',
      'The name is not of the form workspaces/<workspace>/secrets/<secret>/versions/<version>.',
    );
  return { ...readSecretName(secret), version: numberOf(version) };
}

function numberOf(version: string): number | 'latest' {
  if (version === 'latest') return 'latest';
  const number = /^v([1-9]\d{0,8})$/.exec(version)?.[1];
  if (number === undefined) throw noSuchVersion();
  return Number(number);
}

export const noSuchSecret = () => notFound('This secret');
export const noSuchVersion = () => notFound('This version of the secret');
