import type { Disk, NewFile } from './disk.ts';
import { createOwnThread, type Thread } from './thread.ts';
import { createThreads } from './threads.ts';

/** Its work is done by threads of its own, which come and go with it. */
export const createDisk = (): Disk => diskOn(createThreads().pick);

/** Its work is done by the thread that asks, which waits for it. */
export function createOwnDisk(): Disk {
  const thread = createOwnThread();
  return diskOn(() => thread);
}

/** `pick` says which of its threads has the least to do. */
export function diskOn(pick: () => Thread): Disk {
  let files = 0;
  return {
    readRecord: (file) => pick().call('readRecord', file),
    readRecordAndContent: (file) => pick().call('readRecordAndContent', file),
    putWithin: (put, content) => pick().call('putWithin', put, content),
    create: async (file, algorithms) => {
      // What follows is for the one thread that has opened it.
      const thread = pick();
      files += 1;
      const id = files;
      thread.hold();
      try {
        const descriptor = await thread.call('create', id, file, algorithms);
        return newFile(thread, id, () => pick().call('syncData', descriptor));
      } catch (error) {
        thread.release();
        throw error;
      }
    },
  };
}

/** After so much, what was written is brought to the disk while more comes: whoever waits for the end would else wait for all of it. */
const aheadBytes = 8 * 1024 ** 2;

function newFile(thread: Thread, id: number, syncData: () => Promise<void>): NewFile {
  let isOpen = true;
  let ahead = 0;
  let isSyncing = false;
  let syncing = Promise.resolve();
  const end = async <T>(work: () => Promise<T>): Promise<T> => {
    isOpen = false;
    try {
      return await work();
    } finally {
      thread.release();
    }
  };
  const close = async (): Promise<void> => {
    // Its descriptor is another file's once it is closed.
    await syncing.catch(() => undefined);
    await thread.call('abandon', id);
  };
  const sync = async (): Promise<void> => {
    ahead = 0;
    isSyncing = true;
    await syncData();
    isSyncing = false;
  };
  return {
    write: async (buffer, length) => {
      const next = await thread.call('write', id, buffer, length);
      ahead += length;
      if (ahead >= aheadBytes && !isSyncing) {
        syncing = sync();
        // Told when it is finished: the system tells of what did not get to the disk only once.
        syncing.catch(() => undefined);
      }
      return next;
    },
    finish: () =>
      end(async () => {
        try {
          await syncing;
        } catch (error) {
          await close();
          throw error;
        }
        return thread.call('finish', id);
      }),
    abandon: async () => {
      if (isOpen) await end(close);
    },
  };
}
