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

function diskOn(pick: () => Thread): Disk {
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
        await thread.call('create', id, file, algorithms);
      } catch (error) {
        thread.release();
        throw error;
      }
      return newFile(thread, id);
    },
  };
}

function newFile(thread: Thread, id: number): NewFile {
  let isOpen = true;
  const end = async <T>(work: () => Promise<T>): Promise<T> => {
    isOpen = false;
    try {
      return await work();
    } finally {
      thread.release();
    }
  };
  return {
    write: (buffer, length) => thread.call('write', id, buffer, length),
    finish: () => end(() => thread.call('finish', id)),
    abandon: async () => {
      if (isOpen) await end(() => thread.call('abandon', id));
    },
  };
}
