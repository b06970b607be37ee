import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { deadline } from '@haic/kit/deadline.ts';
import { fromWriteError, HaicError, tooLarge } from '@haic/kit/errors.ts';
import type { BundleLimits } from './bundle/limits.ts';

export interface Upload {
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
  remove(): Promise<void>;
}

/** Where bundles wait, on disk, until they are checked. Throws `bundle_too_large` (413), `upload_timeout` (408), or 507. */
export async function receiveUpload(
  directory: string,
  content: Readable,
  limits: BundleLimits,
  signal: AbortSignal,
): Promise<Upload> {
  const file = path.join(directory, `${process.pid}-${randomUUID()}.upload`);
  const remove = () => rm(file, { force: true });
  const hash = createHash('sha256');
  let size = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(size > limits.bundleBytes ? bundleTooLarge(limits) : null, chunk);
    },
  });
  const inTime = deadline(limits.uploadSeconds * 1000, signal);
  try {
    await pipeline(content, meter, createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal: inTime });
  } catch (error) {
    await remove();
    if (inTime.aborted && !signal.aborted)
      throw new HaicError(
        'upload_timeout',
        408,
        'The bundle did not arrive in time. Try again on a faster line.',
      );
    throw fromWriteError(error);
  }
  return { file, size, sha256: hash.digest('hex'), remove };
}

export const bundleTooLarge = (limits: BundleLimits) =>
  tooLarge(
    'bundle_too_large',
    `The bundle is larger than the allowed ${limits.bundleBytes} bytes. Leave out what the app does not need (.appignore).`,
  );

/** Makes the folder and removes what processes that are gone left in it. */
export async function prepareUploadDirectory(directory: string, limits: BundleLimits): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const oldest = Date.now() - (limits.uploadSeconds + limits.checkSeconds) * 1000;
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.upload')) continue;
    const file = path.join(directory, name);
    const info = await stat(file).catch(() => undefined);
    // A pid may have been given to another process since; then the age tells.
    if (!isAlive(Number.parseInt(name, 10)) || (info !== undefined && info.mtimeMs < oldest))
      await rm(file, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
