import { rename } from 'node:fs/promises';
import { ifThere } from './files.ts';
import { removeTree } from './folders.ts';

/** Somebody who reads a folder of parts, one file after the other. */
export interface Reading {
  /** Where the folder may be: look in this order. */
  readonly places: readonly string[];
  leave(): void;
}

export interface Readers {
  enter(directory: string): Reading;
  /** Takes the folder away, at once or when the last reader of this process has left. A reader in another process meets an error. */
  retire(directory: string, to: string): Promise<void>;
}

/** A file that is open stays readable when it is removed; a folder whose files are opened one by one does not, so it is kept meanwhile. */
export function createReaders(): Readers {
  const rooms = new Map<string, { places: string[]; readers: number; whenEmpty: () => void }>();
  return {
    enter: (directory) => {
      const room = rooms.get(directory) ?? { places: [directory], readers: 0, whenEmpty: () => undefined };
      rooms.set(directory, room);
      room.readers += 1;
      let here = true;
      return {
        places: room.places,
        leave: () => {
          if (!here) return;
          here = false;
          room.readers -= 1;
          if (room.readers > 0) return;
          if (rooms.get(directory) === room) rooms.delete(directory);
          room.whenEmpty();
        },
      };
    },
    retire: async (directory, to) => {
      const room = rooms.get(directory);
      // Told before the move: who does not find it at the first place finds it at the second.
      room?.places.push(to);
      await ifThere(rename(directory, to));
      if (room === undefined || room.readers === 0) await removeTree(to);
      else room.whenEmpty = () => void removeTree(to).catch(() => undefined);
    },
  };
}
