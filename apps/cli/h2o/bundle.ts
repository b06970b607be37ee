import { createWriteStream } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import ignore from 'ignore';
import { parse } from 'smol-toml';
import { ZipFile } from 'yazl';
import { CommandError, exitCodes } from '../terminal.ts';

/** Never part of an app, whatever `.appignore` says. */
const alwaysIgnored = [
  '.git/',
  '.DS_Store',
  '__MACOSX/',
  '__pycache__/',
  '*.pyc',
  '.venv/',
  'venv/',
  '*.wave',
];

/**
 * Writes `<Name>.<Version>.wave` of an app's folder into `outputDirectory`, leaving out what `.appignore` lists (gitignore syntax).
 * Entries are sorted, so the same files give the same order. Returns the path.
 */
export async function writeBundle(directory: string, outputDirectory: string): Promise<string> {
  const { name, version } = await readIdentity(directory);
  const target = path.join(outputDirectory, `${name}.${version}.wave`);
  const zip = new ZipFile();
  for (const file of await filesOf(directory)) zip.addFile(path.join(directory, file), file);
  zip.end();
  try {
    await pipeline(zip.outputStream, createWriteStream(`${target}.tmp`));
    await rename(`${target}.tmp`, target);
  } catch (error) {
    await rm(`${target}.tmp`, { force: true });
    throw error;
  }
  return target;
}

async function readIdentity(directory: string): Promise<{ name: string; version: string }> {
  const file = path.join(directory, 'app.toml');
  const text = await readFile(file, 'utf8').catch(() => {
    throw new CommandError(`${directory} is no app: it has no app.toml.`, exitCodes.usage);
  });
  const app = fieldOf(parse(text), 'app');
  const name = fieldOf(app, 'name');
  const version = fieldOf(app, 'version');
  if (typeof name !== 'string' || typeof version !== 'string') {
    throw new CommandError(`${file}: [App] needs Name and Version, both as text.`, exitCodes.usage);
  }
  if (/[/\\\0]/.test(name + version))
    throw new CommandError(`${file}: Name and Version must not hold slashes.`, exitCodes.usage);
  return { name, version };
}

/** Keys of app.toml are case-insensitive. */
function fieldOf(table: unknown, key: string): unknown {
  if (typeof table !== 'object' || table === null) return undefined;
  return Object.entries(table).find(([name]) => name.toLowerCase() === key)?.[1];
}

async function filesOf(directory: string): Promise<string[]> {
  const rules = ignore().add(alwaysIgnored);
  rules.add(await readFile(path.join(directory, '.appignore'), 'utf8').catch(() => ''));
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      path.relative(directory, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'),
    )
    .filter((file) => !rules.ignores(file))
    .sort();
}
