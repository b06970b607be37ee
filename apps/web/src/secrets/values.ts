import type { SecretValue } from './queries.ts';

/** One key as the form has it. `kept`: the value that the secret has stays, and nobody reads it for that. */
export interface ValueRow {
  readonly id: number;
  readonly key: string;
  readonly text: string;
  /** What was read from a file, if the value is from one. */
  readonly file: { readonly name: string; readonly value: SecretValue } | undefined;
  readonly kept: boolean;
}

export const emptyRow = (id: number): ValueRow => ({ id, key: '', text: '', file: undefined, kept: false });

export const keptRow = (key: string, id: number): ValueRow => ({ ...emptyRow(id), key, kept: true });

const largestValue = 64 * 1024;

/** As the server would say it, before anything is sent. */
export function problemOfRow(row: ValueRow, rows: readonly ValueRow[]): string | undefined {
  if (row.key === '') return 'Name the key.';
  if (!/^[-._a-zA-Z0-9]{1,253}$/.test(row.key) || row.key === '.' || row.key === '..')
    return 'A key has at most 253 of A-Z a-z 0-9 - _ and dots.';
  if (rows.some((other) => other.id < row.id && other.key === row.key)) return 'This key is there twice.';
  if (sizeOf(row) > largestValue) return 'A value has at most 64 KiB.';
  return undefined;
}

function sizeOf({ file, text }: ValueRow): number {
  if (file === undefined) return new TextEncoder().encode(text).length;
  return typeof file.value === 'string'
    ? new TextEncoder().encode(file.value).length
    : (file.value.base64.length / 4) * 3;
}

export const problemOfName = (name: string): string | undefined =>
  name.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)
    ? undefined
    : 'At most 63 of a-z 0-9 - and dots, with a letter or digit at both ends.';

/** Every byte as it is: a text where it is one. */
export async function readFileValue(file: File): Promise<ValueRow['file']> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.includes('\0')) return { name: file.name, value: text };
  } catch {
    // Said below.
  }
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return { name: file.name, value: { base64: btoa(binary) } };
}

/** What is sent: new values, and the keys that stay. */
export function changeOf(rows: readonly ValueRow[]): {
  values: Record<string, SecretValue>;
  keep: string[];
} {
  const fresh = rows.filter(({ kept }) => !kept);
  return {
    values: Object.fromEntries(fresh.map(({ key, text, file }) => [key, file?.value ?? text])),
    keep: rows.filter(({ kept }) => kept).map(({ key }) => key),
  };
}

/** `DB_PASSWORD` for the key `db-password`. */
export const variableOf = (key: string): string =>
  key
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '_')
    .replace(/^(?=[0-9])/, '_');

/** The lines of app.toml by which an app gets the keys of a secret. */
export const manifestLines = (secret: string, keys: readonly string[]): string =>
  keys
    .map((key) => `[[Env]]\nName = "${variableOf(key)}"\nSecret = "${secret}"\nSecretKey = "${key}"\n`)
    .join('\n');
