import { mkdir } from 'node:fs/promises';
import { HaicError } from '@haic/kit/errors.ts';
import { type Lock, lockDirectory } from '@haic/platform/runtime/local/lock.ts';
import type { Installation } from '@haic/server/installation.ts';
import { CommandError, say } from '../terminal.ts';

/** A first `up` that downloads everything over a slow line is waited for. */
const patienceMs = 15 * 60_000;

/**
 * `up`, `down`, `backup` and `restore` of one installation happen one after the other. Two at once would bundle over each other and start two of everything;
 * so the second waits, and then finds what the first has done. The lock ends with its process, however that ends.
 */
export async function oneAtATime<T>(at: Installation, work: () => Promise<T>): Promise<T> {
  await mkdir(at.home, { recursive: true, mode: 0o711 });
  await mkdir(at.run, { recursive: true, mode: 0o700 });
  const lock = await take(at);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function take(at: Installation): Promise<Lock> {
  const first = await tryFor(at, 0);
  if (first !== undefined) return first;
  say(`Another ./haic up, down, backup or restore of ${at.home} is at work; waiting for it.`);
  const lock = await tryFor(at, patienceMs);
  if (lock !== undefined) return lock;
  throw new CommandError(
    `Another ./haic up, down, backup or restore of ${at.home} is still at work. Try again when it has ended.`,
  );
}

async function tryFor(at: Installation, patience: number): Promise<Lock | undefined> {
  try {
    return await lockDirectory(at.run, { patienceMs: patience });
  } catch (error) {
    if (error instanceof HaicError && error.code === 'runtime_in_use') return undefined;
    throw error;
  }
}
