import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@haic/kit/errors.ts';
import { LaunchFailure } from './failure.ts';
import { emptyFolder } from './instance-files.ts';
import type { InstanceLog } from './instance-log.ts';
import type { LauncherPaths } from './paths.ts';
import { persist } from './patience.ts';
import { type StoreClient, StoreRefusal } from './store.ts';
import { unzip } from './unzip.ts';

const maximumArchive = 4 * 2 ** 30;

/**
 * Downloads the bundle and unpacks it to the app's folder, which then holds nothing else but a data volume inside of it. Returns when
 * it was published: the date of its newest file.
 */
export async function fetchBundle(options: {
  store: StoreClient;
  paths: LauncherPaths;
  /** Where the data volume is mounted, as a path of this file system. */
  dataVolume: string | undefined;
  timeoutSeconds: number;
  log: InstanceLog;
  say: (message: string) => void;
  signal: AbortSignal;
}): Promise<{ publishedOn: string }> {
  const { paths, log, signal } = options;
  await mkdir(paths.notes, { recursive: true });
  const archive = path.join(paths.notes, 'bundle.zip');
  try {
    await download(archive, options);
    await emptyFolder(paths.app, options.dataVolume);
    const { files, bytes, newest } = await unzip(archive, paths.app, { signal });
    log.line('launcher', `Unpacked ${files} files, ${Math.ceil(bytes / 1024)} KiB.`);
    return { publishedOn: newest };
  } finally {
    await rm(archive, { force: true });
  }
}

async function download(archive: string, options: Parameters<typeof fetchBundle>[0]): Promise<void> {
  const { store, log, say, signal } = options;
  const startedAt = Date.now();
  try {
    await persist((limit) => store.downloadBundle(archive, { maximumBytes: maximumArchive, signal: limit }), {
      patience: { deadlineMs: options.timeoutSeconds * 1000, firstPauseMs: 250, longestPauseMs: 5_000 },
      signal,
      isFinal: (error) => error instanceof StoreRefusal || isFull(error),
      onRetry: (message) => {
        log.line('launcher', `The bundle could not be fetched (${message}). Trying again.`);
        say('Waiting for the App Store to hand out the bundle.');
      },
    });
    log.line('launcher', `Fetched the bundle in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
  } catch (error) {
    if (signal.aborted) throw error;
    if (isFull(error))
      throw new LaunchFailure(
        'The disk is full: the bundle could not be stored. Free some space and try again.',
      );
    const advice =
      error instanceof StoreRefusal ? '' : ' Is the platform running, and can it be reached from here?';
    throw new LaunchFailure(`The bundle could not be fetched: ${messageOf(error)}${advice}`, [], error);
  }
}

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
