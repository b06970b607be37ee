import { invalid } from '@haic/kit/errors.ts';

/** What the App Store knows as a secret (contracts/app-store.md §3): a name, a visibility, a parent, and keys with their values. */
export const secretVisibilities = ['PRIVATE', 'ALL_USERS', 'APP'] as const;
export type SecretVisibility = (typeof secretVisibilities)[number];

const longestName = 63;
const namePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const keyPattern = /^[-._a-zA-Z0-9]{1,253}$/;
const workspaceId = '[a-z0-9][a-z0-9-]{0,62}';
const inWorkspace = new RegExp(`^workspaces/(${workspaceId})/secrets/([^/]*)$`);

export const isSecretName = (text: string): boolean => text.length <= longestName && namePattern.test(text);
export const isSecretKey = (text: string): boolean => keyPattern.test(text) && text !== '.' && text !== '..';

/** What `Secret` in app.toml says: a name, which is looked for where the app may look, or a secret of one workspace. */
export interface ParsedReference {
  /** `workspaces/<id>`; undefined for a name alone. */
  readonly workspace: string | undefined;
  readonly name: string;
}

/** Undefined for what is neither. */
export function parseReference(text: string): ParsedReference | undefined {
  if (isSecretName(text)) return { workspace: undefined, name: text };
  const [, workspace, name = ''] = inWorkspace.exec(text) ?? [];
  if (workspace === undefined || !isSecretName(name)) return undefined;
  return { workspace: `workspaces/${workspace}`, name };
}

/** Of an app, as the catalog has it: its secrets are its own by this name. */
export const isAppName = (text: string): boolean =>
  text.length <= 63 && /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/.test(text);

export type SecretValues = ReadonlyMap<string, Uint8Array>;

const largestSecret = 1024 * 1024;

export function checkedName(name: string): string {
  if (isSecretName(name)) return name;
  throw invalid(
    'invalid_secret',
    `${quoted(name)} cannot be the name of a secret: at most ${longestName} of a-z 0-9 - and dots, with a letter or digit at both ends and beside each dot.`,
  );
}

/** Names keys and never values. `kept`: how many others the secret has. */
export function checkedValues(values: SecretValues, kept = 0): SecretValues {
  const bad = [...values.keys()].find((key) => !isSecretKey(key));
  if (bad !== undefined)
    throw invalid(
      'invalid_secret',
      `${quoted(bad)} cannot be a key of a secret: at most 253 of A-Z a-z 0-9 - _ and dots.`,
    );
  if (values.size + kept === 0)
    throw invalid(
      'invalid_secret',
      'A secret has at least one key. Send values, such as { "password": "…" }.',
    );
  const size = [...values].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (size > largestSecret)
    throw invalid(
      'secret_too_large',
      `A secret holds at most ${largestSecret / 1024} KiB in all its keys. Keep large files in Drive.`,
    );
  return values;
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 100));
