import { execFile } from 'node:child_process';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { deadline, until } from '@haic/kit/deadline.ts';
import { identify, signalProcess } from '@haic/kit/process-identity.ts';
import { stopEmbeddedPostgres } from '@haic/platform/database/embedded/server.ts';
import { readJson, syncDirectory, writeAtomically } from '@haic/platform/runtime/local/durable-file.ts';
import { removeTree } from '@haic/platform/runtime/local/records.ts';
import { type Installation, installationAt } from '@haic/server/installation.ts';
import type { ServerSettings } from '@haic/server/settings.ts';
import { CommandError } from '../../terminal.ts';
import { keepBlobs, takeBackBlobs } from './blobs.ts';
import { forgetRestoreMark, hasRestoreMark } from './database.ts';

/**
 * A restore makes everything ready in `restoring/`, writes down what is to be moved where, and then moves it. Until that note is on
 * the disk the old state is untouched and is what there is; from then on whoever comes next finishes the moves. With a
 * PostgreSQL of one's own, whose transaction is another thing that can happen or not, a mark in it decides.
 */
export interface Journal {
  readonly id: string;
  /** Folder below the home for what was there before. */
  readonly aside: string;
  readonly databaseDecides: boolean;
}

/** What a restore replaces. All else below the home can be made again, or is the old installation's to keep (logs). */
const replaced = ['secrets', 'postgres', 'blobs', 'runtime', 'volumes'] as const;

export const stagingOf = (at: Installation): Installation =>
  installationAt(path.join(at.home, 'restoring'), at.cache);
const journalFile = (at: Installation) => path.join(stagingOf(at).home, 'commit.json');

export async function writeJournal(at: Installation, journal: Journal): Promise<void> {
  // What tar and PostgreSQL wrote must be on the disk before the note that says so.
  await promisify(execFile)('sync', ['--file-system', at.home], { env: { PATH: '/usr/bin:/bin' } });
  await writeAtomically(journalFile(at), JSON.stringify(journal));
}

/** Moves what was there aside and what was restored into its place. Goes on wherever an earlier one was cut off. */
async function finishMoves(at: Installation, journal: Journal): Promise<void> {
  const aside = path.join(at.home, journal.aside);
  const staging = stagingOf(at).home;
  await mkdir(aside, { recursive: true, mode: 0o700 });
  for (const name of replaced) {
    const [ready, place] = [path.join(staging, name), path.join(at.home, name)];
    // Not ready any more: it is in its place already.
    if (!(await exists(ready))) continue;
    if (await exists(place)) await rename(place, path.join(aside, name));
    await rename(ready, place);
  }
  await syncDirectory(aside);
  await syncDirectory(at.home);
  await rm(staging, { recursive: true, force: true });
  if ((await readdir(aside)).length === 0) await rm(aside, { recursive: true });
}

export type Settled = 'nothing' | 'completed' | 'undone';

/**
 * Deals with a restore that was cut off: completes one that was decided, takes back one that was not. Where nothing else is in the
 * home, taking back is not enough: what looks like a fresh place was meant to be the restored one.
 */
export async function settleRestore(
  at: Installation,
  settings: Partial<Pick<ServerSettings, 'databaseUrl' | 'blobStoreKey'>>,
): Promise<Settled> {
  const { databaseUrl } = settings;
  const staging = stagingOf(at);
  if (!(await exists(staging.home))) return 'nothing';
  const journal = await readJson<Journal>(journalFile(at));
  if (journal !== undefined && (await wasDecided(journal, databaseUrl))) {
    await keepBlobs(staging, settings);
    await finishMoves(at, journal);
    if (journal.databaseDecides && databaseUrl !== undefined) await forgetRestoreMark(databaseUrl);
    return 'completed';
  }
  await takeBackBlobs(staging, settings);
  await discardStaging(at);
  return 'undone';
}

async function wasDecided(journal: Journal, databaseUrl: string | undefined): Promise<boolean> {
  if (!journal.databaseDecides) return true;
  if (databaseUrl !== undefined) return hasRestoreMark(databaseUrl, journal.id);
  throw new CommandError(
    'A restore into a PostgreSQL of its own was cut off here. Set HAIC_DATABASE_URL to that database, so that it can be seen how far it came.',
  );
}

/** Also ends what a killed restore may have left at work there: PostgreSQL, its initdb, a tar. */
export async function discardStaging(at: Installation): Promise<void> {
  const staging = stagingOf(at);
  await stopEmbeddedPostgres(staging.postgresData);
  const gone = async () => {
    await endProcessesIn(staging.home);
    // Volumes hold what apps have written. Fails while something that is just ending still writes.
    await removeTree(staging.home).catch(() => undefined);
    return (await exists(staging.home)) ? undefined : true;
  };
  await until(gone, { everyMs: 100, signal: deadline(30_000) }).catch(() => {
    throw new CommandError(`${staging.home} is left of a restore and cannot be removed. Remove it yourself.`);
  });
}

const helpers = ['postgres', 'initdb', 'tar'];

/** What a restore starts, where it was told to work below the folder. */
async function endProcessesIn(folder: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const program = path.basename(commandLine.split('\0')[0] ?? '');
    if (!helpers.includes(program) || !commandLine.includes(`${folder}/`)) continue;
    const identity = await identify(pid);
    if (identity !== undefined) await signalProcess(identity, 'SIGKILL');
  }
}

/** For commands that read: they leave it to `up` and `restore`. */
export async function refuseUnfinishedRestore(at: Installation): Promise<void> {
  if (await exists(stagingOf(at).home))
    throw new CommandError(
      `A restore was cut off in ${at.home}. ./haic up completes it or takes it back; or restore once more.`,
    );
}

/** Whether there is anything of an installation in the home. */
export async function holdsInstallation(at: Installation): Promise<boolean> {
  for (const name of replaced) {
    const found = await readdir(path.join(at.home, name)).catch(() => []);
    if (found.length > 0) return true;
  }
  return false;
}

/** Folders are moved whole, which no mounted file system allows. */
export async function refuseMounts(at: Installation): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1]);
  for (const name of replaced) {
    const place = path.join(at.home, name);
    if (mounts.includes(place))
      throw new CommandError(
        `${place} is a file system of its own, and a restore moves whole folders into place. Unmount it, restore, and then move what is in ${place} onto it.`,
      );
  }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
