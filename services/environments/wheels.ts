import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fromWriteError, HaicError, invalid, tooLarge, unprocessable } from '@haic/kit/errors.ts';

/** The name of a wheel (PEP 427); nothing that could be a path, an option or a hidden file. */
export const isWheelFileName = (name: string): boolean =>
  name.length <= 200 &&
  /^[A-Za-z0-9][A-Za-z0-9_.]*-[A-Za-z0-9][A-Za-z0-9_.!+]*(-[0-9][A-Za-z0-9_.]*)?(-[A-Za-z0-9_.]+){3}\.whl$/.test(
    name,
  );

export const isSha256 = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

export interface WheelStore {
  readonly folder: string;
  /** Keeps the wheel if its content has this hash; otherwise nothing is kept. */
  put(wheel: { sha256: string; fileName: string; content: Readable; signal: AbortSignal }): Promise<void>;
  /** True also marks it as used now, so that it stays. */
  has(sha256: string, fileName: string): Promise<boolean>;
}

/** Wheels of bundles, kept by their content's hash: nobody can put another content in the place of one that is there. */
export function createWheelStore(options: {
  folder: string;
  newTempFile: () => string;
  maxBytes: number;
}): WheelStore {
  const placeOf = (sha256: string, fileName: string) => path.join(options.folder, sha256, fileName);
  const has = async (sha256: string, fileName: string) =>
    isSha256(sha256) && isWheelFileName(fileName) && (await isUsed(placeOf(sha256, fileName)));
  return {
    folder: options.folder,
    has,
    put: async ({ sha256, fileName, content, signal }) => {
      if (!isSha256(sha256))
        throw invalid('invalid_hash', 'The hash of a wheel is 64 hexadecimal digits in lower case.');
      if (!isWheelFileName(fileName))
        throw invalid('invalid_wheel_name', 'This is not the name of a wheel file.');
      const temp = options.newTempFile();
      try {
        const actual = await writeHashed(content, temp, options.maxBytes, signal);
        if (actual !== sha256)
          throw unprocessable(
            'wrong_hash',
            `The content of ${fileName} does not have the hash that was announced.`,
          );
        await mkdir(path.join(options.folder, sha256), { recursive: true, mode: 0o700 });
        await rename(temp, placeOf(sha256, fileName));
      } catch (error) {
        if (error instanceof HaicError) throw error;
        throw fromWriteError(error);
      } finally {
        await rm(temp, { force: true });
      }
    },
  };
}

async function writeHashed(
  content: Readable,
  file: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(
    async function* () {
      // The source outlives a refusal: it is the connection that the answer has to go out on.
      for await (const chunk of content.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw tooLargeError(maxBytes);
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(file, { mode: 0o600 }),
    { signal },
  );
  const written = await open(file, 'r');
  try {
    await written.sync();
  } finally {
    await written.close();
  }
  return hash.digest('hex');
}

const tooLargeError = (maxBytes: number) =>
  tooLarge('wheel_too_large', `A wheel may have ${Math.floor(maxBytes / 1024)} KB at most.`);

const isUsed = async (file: string): Promise<boolean> => {
  const now = new Date();
  return utimes(path.dirname(file), now, now)
    .then(() => stat(file))
    .then(
      (found) => found.isFile(),
      () => false,
    );
};
