import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
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

/** More than so many times the limit is not even read. */
export const patience = 4;

/**
 * Where bundles wait, on disk, until they are checked. Throws `bundle_too_large` (413), `upload_timeout` (408), or 507. What is refused is
 * read to its end nevertheless: browsers and proxies show the answer only to who was let finish.
 */
export async function receiveUpload(
  directory: string,
  content: Readable,
  limits: BundleLimits,
  signal: AbortSignal,
): Promise<Upload> {
  const file = path.join(directory, `${process.pid}-${randomUUID()}.upload`);
  const remove = () => rm(file, { force: true });
  const inTime = deadline(limits.uploadSeconds * 1000, signal);
  try {
    const spool = createSpool(file, limits);
    // pipeline, unlike a loop, lets go of a request without closing its connection, so that the answer can still be sent.
    await pipeline(content, spool.receive, { signal: inTime });
    return { file, ...spool.result(), remove };
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
}

function createSpool(file: string, limits: BundleLimits) {
  const hash = createHash('sha256');
  let size = 0;
  let failure: unknown;
  return {
    async receive(source: AsyncIterable<Buffer>): Promise<void> {
      await using handle = await open(file, 'wx', 0o600);
      const refuse = async (error: unknown) => {
        failure = error;
        await handle.truncate(0);
      };
      for await (const chunk of source) {
        size += chunk.length;
        if (size > limits.bundleBytes * patience) throw bundleTooLarge(limits);
        if (failure !== undefined) continue;
        if (size > limits.bundleBytes) await refuse(bundleTooLarge(limits));
        else {
          hash.update(chunk);
          await handle.writeFile(chunk).catch(refuse);
        }
      }
      if (failure !== undefined) throw failure;
    },
    result: () => ({ size, sha256: hash.digest('hex') }),
  };
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
