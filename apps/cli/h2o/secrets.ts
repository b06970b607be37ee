import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { buffer } from 'node:stream/consumers';
import { messageOf } from '@haic/kit/errors.ts';
import {
  CommandError,
  confirmOnTerminal,
  exitCodes,
  output,
  print,
  record,
  say,
  table,
} from '../terminal.ts';
import type { Api } from './api.ts';
import { commandName } from './command-name.ts';

export interface Secret {
  readonly name: string;
  readonly visibility: string;
  readonly parent: string;
  readonly keys: readonly string[];
  readonly createdAt: string;
}

type Value = string | { readonly base64: string };

/** Which secret is meant; without a visibility one's own, else one for all users. */
export interface SecretPlace {
  readonly visibility?: string | undefined;
  readonly parent?: string | undefined;
}

/** Where values come from: `key=value` and `key=path`, each as often as wanted. */
export interface ValueFlags {
  readonly fromLiteral: readonly string[];
  readonly fromFile: readonly string[];
}

const pathOf = (name: string, place: SecretPlace, verb = ''): string =>
  `/api/v1/secrets/${encodeURIComponent(name)}${verb}${queryOf(place)}`;

function queryOf({ visibility, parent }: SecretPlace): string {
  const query = new URLSearchParams({
    ...(visibility === undefined ? {} : { visibility }),
    ...(parent === undefined ? {} : { parent }),
  });
  return query.size === 0 ? '' : `?${query}`;
}

/** These lines in this order; values only where they were asked for (app-store.md §9). */
const secretRecord = (secret: Secret, values: Readonly<Record<string, Value>> = {}): string =>
  record([
    ['Name', secret.name],
    ['Visibility', secret.visibility],
    ...(secret.parent === '' ? [] : [['Parent', secret.parent] as const]),
    ['Keys', secret.keys.join(',')],
    ...Object.entries(values).map(([key, value]) => [key, shown(value)] as const),
  ]);

/** One line a value; `--json` has it letter by letter. */
function shown(value: Value): string {
  if (typeof value !== 'string') return `base64:${value.base64}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what would not be seen, or be taken for the end.
  return /[\u0000-\u001f\u007f]/.test(value) ? JSON.stringify(value) : value;
}

export async function createSecret(
  api: Api,
  name: string,
  options: SecretPlace & ValueFlags & { json: boolean },
): Promise<void> {
  const { visibility, parent, json } = options;
  const values = await readValues(options);
  const secret = await api.json<Secret>('POST', '/api/v1/secrets', {
    json: { name, visibility, parent, values },
  });
  output(json, secret, () => secretRecord(secret));
  const key = secret.keys[0] ?? '';
  say(`Kept. In app.toml: [[Env]] Name = "…" Secret = "${secret.name}" SecretKey = "${key}"`);
}

export async function updateSecret(
  api: Api,
  name: string,
  options: SecretPlace & ValueFlags & { json: boolean },
): Promise<void> {
  const values = await readValues(options);
  const secret = await api.json<Secret>('PUT', pathOf(name, options), { json: { values } });
  output(options.json, secret, () => secretRecord(secret));
  say('All its keys were replaced. Apps get the new values when they start next.');
}

export async function getSecret(
  api: Api,
  name: string,
  options: SecretPlace & { expose: boolean; json: boolean },
): Promise<void> {
  if (!options.expose) {
    const secret = await api.json<Secret>('GET', pathOf(name, options));
    output(options.json, secret, () => secretRecord(secret));
    return;
  }
  const { secret, values } = await api.json<{ secret: Secret; values: Record<string, Value> }>(
    'POST',
    pathOf(name, options, '/reveal'),
  );
  output(options.json, { ...secret, values }, () => secretRecord(secret, values));
}

export async function listSecrets(api: Api, options: SecretPlace & { json: boolean }): Promise<void> {
  const secrets = await api.all<Secret>(`/api/v1/secrets${queryOf(options)}`);
  const newestFirst = secrets.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  output(options.json, newestFirst, () =>
    table(
      ['NAME', 'VISIBILITY', 'PARENT', 'KEYS'],
      // A word in each column, so that who cuts columns by white space gets the right ones.
      newestFirst.map(({ name, visibility, parent, keys }) => [
        name,
        visibility,
        parent || '-',
        keys.join(','),
      ]),
    ),
  );
  if (secrets.length === 0)
    say(`There are none. Keep one: ${commandName} secret create NAME --from-file=KEY=PATH`);
}

export async function deleteSecret(
  api: Api,
  name: string,
  options: SecretPlace & { yes: boolean; json: boolean },
): Promise<void> {
  await confirmOnTerminal(`Delete the secret ${name}?`, options.yes);
  await api.json('DELETE', pathOf(name, options));
  if (options.json) print(JSON.stringify({ name }));
  say(`The secret ${name} is deleted. The portal brings it back for thirty days.`);
}

async function readValues({ fromLiteral, fromFile }: ValueFlags): Promise<Record<string, Value>> {
  const values = new Map<string, Value>();
  const add = (key: string, value: Value) => {
    if (values.has(key)) throw usage(`The key ${key} is given twice.`);
    values.set(key, value);
  };
  for (const pair of fromLiteral) {
    const at = pair.indexOf('=');
    if (at < 1) throw usage('--from-literal wants KEY=VALUE.');
    add(pair.slice(0, at), pair.slice(at + 1));
  }
  const files = fromFile.map((pair) => {
    const at = pair.indexOf('=');
    return at < 0
      ? { key: path.basename(pair), file: pair }
      : { key: pair.slice(0, at), file: pair.slice(at + 1) };
  });
  if (files.filter(({ file }) => file === '-').length > 1) throw usage('There is one stdin to read.');
  for (const { key, file } of files) add(key, sent(await read(file)));
  if (values.size === 0)
    throw usage(
      'Say what it holds: --from-file=KEY=PATH (- for stdin), or --from-literal=KEY=VALUE, which other users of this machine can see while it runs.',
    );
  return Object.fromEntries(values);
}

async function read(file: string): Promise<Buffer> {
  if (file === '-') return buffer(process.stdin);
  return readFile(file).catch((error: unknown) => {
    throw usage(`${file} cannot be read: ${messageOf(error)}`);
  });
}

/** Every byte as it is: a newline at the end of a file belongs to it. */
function sent(bytes: Buffer): Value {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // Said below.
  }
  return { base64: bytes.toString('base64') };
}

const usage = (message: string) => new CommandError(message, exitCodes.usage);
