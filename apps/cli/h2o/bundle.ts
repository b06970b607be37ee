import { createWriteStream } from 'node:fs';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import ignore from 'ignore';
import { parse } from 'smol-toml';
import { ZipFile } from 'yazl';
import { CommandError, exitCodes } from '../terminal.ts';

const manifestName = 'app.toml';

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
 * Entries are sorted, so the same files give the same order. `changeManifest` gets the text of app.toml and gives the one to bundle.
 * Returns the path.
 */
export async function writeBundle(
  directory: string,
  outputDirectory: string,
  changeManifest = (text: string) => text,
): Promise<string> {
  const manifest = changeManifest(await readManifest(directory));
  const { name, version } = identityOf(manifest, path.join(directory, manifestName));
  const target = path.join(outputDirectory, `${name}.${version}.wave`);
  const zip = new ZipFile();
  for (const file of await filesOf(directory)) {
    const source = path.join(directory, file);
    if (file === manifestName)
      zip.addBuffer(Buffer.from(manifest), file, { mtime: (await stat(source)).mtime });
    else zip.addFile(source, file);
  }
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

const readManifest = (directory: string): Promise<string> =>
  readFile(path.join(directory, manifestName), 'utf8').catch(() => {
    throw new CommandError(`${directory} is no app: it has no app.toml.`, exitCodes.usage);
  });

/**
 * app.toml with its version made longer (1.2.0 → 1.2.0-20260131120000) and no resource volume: for a trial that is thrown away. The
 * author's own text is changed, so that comments and order stay.
 */
export function trialManifest(text: string, suffix: string): string {
  let section = '';
  const lines = text.split('\n').flatMap((line) => {
    section = /^\s*\[\s*([^[\]]+?)\s*\]/.exec(line)?.[1]?.toLowerCase() ?? section;
    if (/^\s*\[\[/.test(line)) section = '';
    if (section === 'runtime' && /^\s*"?ResourceVolumeSize"?\s*=/i.test(line)) return [];
    if (section !== 'app') return [line];
    return [line.replace(/^(\s*"?Version"?\s*=\s*)(["'])([^"']*)\2/i, `$1$2$3${suffix}$2`)];
  });
  const changed = lines.join('\n');
  const before = identityOf(text, manifestName);
  if (identityOf(changed, manifestName).version !== before.version + suffix)
    throw new CommandError(
      `The version in ${manifestName} cannot be made longer. Write it as Version = "${before.version}" on a line of [App], or use --generate-version=false.`,
      exitCodes.usage,
    );
  return changed;
}

function identityOf(text: string, file: string): { name: string; version: string } {
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

/** What of a folder belongs to its bundle, sorted; relative, with slashes. */
export async function filesOf(directory: string): Promise<string[]> {
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
