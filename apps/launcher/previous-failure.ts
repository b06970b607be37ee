import { constants } from 'node:fs';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Failure } from './status.ts';

/**
 * The launcher ends when its app fails and the runtime starts it again after a while; what went wrong is kept in the instance's
 * own folder, so that the page of the next start still says it. The app can write there too: the note is only ever shown.
 */
const noteIn = (notes: string) => path.join(notes, 'last-failure.json');
const maximumBytes = 64 * 1024;

export async function readPreviousFailure(notes: string): Promise<Failure | undefined> {
  try {
    const file = await open(noteIn(notes), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(maximumBytes), 0, maximumBytes, 0);
      return asFailure(JSON.parse(buffer.toString('utf8', 0, bytesRead)));
    } finally {
      await file.close();
    }
  } catch {
    // None, or not ours: there is simply nothing to tell.
    return undefined;
  }
}

export async function writePreviousFailure(notes: string, failure: Failure): Promise<void> {
  await mkdir(notes, { recursive: true });
  await rm(noteIn(notes), { force: true });
  await writeFile(noteIn(notes), JSON.stringify(failure), { flag: 'wx', mode: 0o600 });
}

export const forgetPreviousFailure = (notes: string): Promise<void> => rm(noteIn(notes), { force: true });

function asFailure(value: unknown): Failure | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { message, lines, at } = value as Partial<Record<keyof Failure, unknown>>;
  if (typeof message !== 'string' || typeof at !== 'string' || !Array.isArray(lines)) return undefined;
  return { message, at, lines: lines.filter((line) => typeof line === 'string').slice(-20) };
}
