import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { fromWriteError } from '@haic/kit/errors.ts';
import { masterKeyBytes } from '@haic/kit/keys.ts';
import { type KeySource, keyringOf, parseKeys, type WrappingKey, wrappingKey } from './wrapping-keys.ts';

export interface KeyPlaces {
  /** Follows from the installation's master key: good from the first start on, and at hand ever after. */
  readonly derived: Buffer;
  /** A file of Haic's own, made by the first rotation. */
  readonly ownFile: string;
  /** Keys that whoever runs Haic brings, in a file or as a text; they come before Haic's own. */
  readonly given?: { readonly file: string } | { readonly text: string } | undefined;
}

/** Why there are three places: docs/adr/0012-secrets-in-envelopes.md. */
export function createKeySource({ derived, ownFile, given }: KeyPlaces): KeySource {
  const own = async (): Promise<readonly WrappingKey[]> => {
    const text = await readFile(ownFile, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    });
    return text === undefined ? [] : parseKeys(text, ownFile);
  };
  const brought = async (): Promise<readonly WrappingKey[]> => {
    if (given === undefined) return [];
    if ('text' in given) return parseKeys(given.text, 'HAIC_SECRETS_KEY');
    return parseKeys(await readFile(given.file, 'utf8'), given.file);
  };
  const write = (keys: readonly WrappingKey[]) =>
    replaceFile(ownFile, keys.map(({ key }) => `${key.toString('hex')}\n`).join(''));
  const read: KeySource['read'] = async () =>
    keyringOf([...(await brought()), ...(await own()), wrappingKey(derived)]);
  if (given !== undefined) return { read };
  return {
    read,
    addNew: async () => {
      const fresh = wrappingKey(randomBytes(masterKeyBytes));
      await write([fresh, ...(await own())]).catch((error: unknown) => {
        throw fromWriteError(error);
      });
    },
    keepOnly: async (ids) => {
      const keys = await own();
      const kept = keys.filter(({ id }) => ids.includes(id));
      if (kept.length < keys.length) await write(kept);
    },
  };
}

/** Wholly the old text or wholly the new one, whatever happens meanwhile. */
async function replaceFile(file: string, text: string): Promise<void> {
  const fresh = `${file}.new`;
  const handle = await open(fresh, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(fresh, file);
  const directory = await open(path.dirname(file), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
