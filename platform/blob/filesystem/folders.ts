import { mkdir, rm, stat, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DigestAlgorithm } from '../digests.ts';
import { createKeyLock } from '../key-lock.ts';
import type { Disk } from './disk/disk.ts';
import { ifThere } from './files.ts';
import { createFolderNames, type FolderNames } from './folder-names.ts';
import { createReaders, type Readers } from './readers.ts';
import { openTemporaryFolder } from './temporary.ts';

type Lock = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** What the verbs of the store share. */
export interface Folders {
  /** The keys, see key-path.ts. */
  readonly objects: string;
  /** What came of unfinished uploads, see uploads.ts. */
  readonly uploads: string;
  /** This process's own, see temporary.ts. */
  readonly temporary: string;
  readonly disk: Disk;
  readonly etags: DigestAlgorithm;
  /** Bytes. What is said to be smaller is kept within its record: one file, one write and one sync in place of two. */
  readonly smallestBeside: number;
  readonly lockKey: Lock;
  readonly lockUpload: Lock;
  readonly readers: Readers;
  readonly names: FolderNames;
}

export async function openFolders(
  directory: string,
  how: Pick<Folders, 'disk' | 'etags' | 'smallestBeside'>,
): Promise<Folders> {
  const root = path.resolve(directory);
  const objects = path.join(root, 'objects');
  const uploads = path.join(root, 'uploads');
  for (const folder of [objects, uploads]) await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = await openTemporaryFolder(path.join(root, 'temporary'), {
    disk: how.disk,
    objects,
    uploads,
  });
  await refuseCaseInsensitive(temporary);
  return {
    objects,
    uploads,
    temporary,
    ...how,
    lockKey: createKeyLock(),
    lockUpload: createKeyLock(),
    readers: createReaders(),
    names: createFolderNames(),
  };
}

/** On such a disk the keys `A` and `a` would be one. */
async function refuseCaseInsensitive(temporary: string): Promise<void> {
  const probe = path.join(temporary, 'case-Probe');
  await writeFile(probe, '');
  const sameFile = await ifThere(stat(path.join(temporary, 'case-probe')));
  await unlink(probe);
  if (sameFile !== undefined)
    throw new Error(
      `${temporary} is on a disk that does not tell upper from lower case; choose another one.`,
    );
}

export const removeTree = (directory: string): Promise<void> =>
  rm(directory, { recursive: true, force: true });
