import type { BlobStore } from '../port.ts';

/** The verbs of a store, each with what they share before what it is asked. */
export type Verbs<Room> = {
  readonly [Verb in keyof BlobStore]: (
    room: Room,
    ...asked: Parameters<BlobStore[Verb]>
  ) => ReturnType<BlobStore[Verb]>;
};

export const storeIn = <Room>(room: Room, verbs: Verbs<Room>): BlobStore => ({
  put: (...asked) => verbs.put(room, ...asked),
  get: (...asked) => verbs.get(room, ...asked),
  head: (...asked) => verbs.head(room, ...asked),
  delete: (...asked) => verbs.delete(room, ...asked),
  list: (...asked) => verbs.list(room, ...asked),
  copy: (...asked) => verbs.copy(room, ...asked),
  createUpload: (...asked) => verbs.createUpload(room, ...asked),
  putPart: (...asked) => verbs.putPart(room, ...asked),
  listParts: (...asked) => verbs.listParts(room, ...asked),
  listUploads: (...asked) => verbs.listUploads(room, ...asked),
  completeUpload: (...asked) => verbs.completeUpload(room, ...asked),
  abortUpload: (...asked) => verbs.abortUpload(room, ...asked),
});
