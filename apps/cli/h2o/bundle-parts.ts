import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { deadline } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { type Entry, open, type ZipFile } from 'yauzl';
import { CommandError, exitCodes, output } from '../terminal.ts';
import type { Api } from './api.ts';
import { appPath } from './apps.ts';
import { filesOf } from './bundle.ts';

interface PartOptions {
  /** REQUIREMENTS, PACKAGES, FILES or APP. */
  readonly part: string;
  readonly json: boolean;
}

/** What a bundle or an app's folder holds. */
interface Parts {
  files(): Promise<readonly string[]>;
  /** Undefined when there is no such file. */
  read(file: string): Promise<string | undefined>;
}

const fileOfPart: Readonly<Record<string, string>> = {
  REQUIREMENTS: 'requirements.txt',
  PACKAGES: 'packages.txt',
  APP: 'app.toml',
};
/** What is read of a bundle is text that people wrote. */
const longestText = 1024 * 1024;
const tenMinutes = 10 * 60_000;

/** Of an app in the store: from its bundle, so it shows what whoever may download it could see anyway. */
export async function printPartOfApp(api: Api, id: string, options: PartOptions): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'h2o-meta-'));
  try {
    const archive = path.join(folder, 'app.wave');
    const signal = deadline(tenMinutes);
    const content = Readable.from(await api.stream(`${appPath(id)}/bundle`, signal));
    await pipeline(content, createWriteStream(archive), { signal });
    await printPart(await openBundle(archive), options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function printPartOfBundle(target: string, options: PartOptions): Promise<void> {
  const found = await stat(target).catch(() => {
    throw new CommandError(`There is no ${target}.`, exitCodes.usage);
  });
  await printPart(found.isDirectory() ? folderParts(target) : await openBundle(target), options);
}

async function printPart(parts: Parts, { part, json }: PartOptions): Promise<void> {
  if (part === 'FILES') {
    const files = await parts.files();
    return output(json, { files }, () => files.join('\n'));
  }
  const file = fileOfPart[part] ?? '';
  const content = await parts.read(file);
  if (content === undefined) throw new CommandError(`This app has no ${file}.`);
  output(json, { file, content }, () => content.trimEnd());
}

const folderParts = (directory: string): Parts => ({
  files: () => filesOf(directory),
  read: (file) => readFile(path.join(directory, file), 'utf8').catch(() => undefined),
});

async function openBundle(archive: string): Promise<Parts> {
  const entries = async <T>(use: (zip: ZipFile, entry: Entry) => Promise<T | undefined>) => {
    const zip = await openArchive(archive);
    try {
      for await (const entry of entriesOf(zip)) {
        const value = await use(zip, entry);
        if (value !== undefined) return value;
      }
      return undefined;
    } catch (error) {
      throw damaged(archive, error);
    } finally {
      zip.close();
    }
  };
  return {
    files: async () => {
      const names: string[] = [];
      await entries(async (_zip, { fileName }) => {
        if (!fileName.endsWith('/')) names.push(fileName);
        return undefined;
      });
      return names.sort();
    },
    read: (file) => entries(async (zip, entry) => (entry.fileName === file ? textOf(zip, entry) : undefined)),
  };
}

const damaged = (archive: string, error: unknown): CommandError =>
  new CommandError(`${archive} is damaged or not a bundle (${messageOf(error)}).`);

const openArchive = (archive: string): Promise<ZipFile> =>
  new Promise((resolve, reject) =>
    open(archive, { lazyEntries: true, autoClose: false }, (error, zip) =>
      error ? reject(damaged(archive, error)) : resolve(zip),
    ),
  );

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (let read = 0; read < zip.entryCount; read += 1)
    yield await new Promise<Entry>((resolve, reject) => {
      zip.once('entry', resolve);
      zip.once('error', reject);
      zip.readEntry();
    });
}

function textOf(zip: ZipFile, entry: Entry): Promise<string> {
  if (entry.uncompressedSize > longestText)
    throw new CommandError(`${entry.fileName} is too long to be shown.`);
  return new Promise((resolve, reject) =>
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(text(stream)))),
  );
}
