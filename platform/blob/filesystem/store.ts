import type { DigestAlgorithm } from '../digests.ts';
import type { BlobStore } from '../port.ts';
import { deleteBlob } from './commit.ts';
import { getBlob } from './content.ts';
import { copyBlob } from './copy.ts';
import { createDisk } from './disk/create-disk.ts';
import type { Disk } from './disk/disk.ts';
import { openFolders } from './folders.ts';
import { placeOf } from './key-path.ts';
import { listBlobs } from './list.ts';
import { putBlob } from './put.ts';
import { readRecord } from './read-record.ts';
import { infoOf } from './record.ts';
import { abortUpload, completeUpload, createUpload, listParts, listUploads, putPart } from './uploads.ts';

/**
 * Blobs as files below `directory`, on any local disk or volume: `objects/` (see key-path.ts), `uploads/` and `temporary/`. Sweeps at
 * start what earlier processes left unfinished. Several processes may share the directory; two that overwrite one key within the same
 * millisecond may leave the loser's bytes behind, unseen, and `ifMatch` holds among the writers of one process only.
 */
export async function createFilesystemBlobStore(options: {
  directory: string;
  /** What etags are made of; `md5` where S3 clients see them. */
  etags?: DigestAlgorithm;
  /** Bytes from which on a content is kept in a file beside its record; smaller ones in the record's own. */
  smallestBeside?: number;
  disk?: Disk;
}): Promise<BlobStore> {
  const { directory, etags = 'sha256', smallestBeside = 128 * 1024, disk = createDisk() } = options;
  const folders = await openFolders(directory, { disk, etags, smallestBeside });
  return {
    put: (key, content, put) => putBlob(folders, key, content, put),
    get: (key, get) => getBlob(folders, key, get),
    head: async (key, { signal }) => {
      signal.throwIfAborted();
      const record = await readRecord(disk, placeOf(folders.objects, key));
      return record === undefined ? undefined : infoOf(record);
    },
    delete: (key, del) => deleteBlob(folders, key, del),
    list: (list) => listBlobs(folders, list),
    copy: (source, target, copy) => copyBlob(folders, source, target, copy),
    createUpload: (key, upload) => createUpload(folders, key, upload),
    putPart: (upload, partNumber, content, put) => putPart(folders, upload, partNumber, content, put),
    listParts: (upload, list) => listParts(folders, upload, list),
    listUploads: (list) => listUploads(folders, list),
    completeUpload: (upload, parts, complete) => completeUpload(folders, upload, parts, complete),
    abortUpload: (upload, abort) => abortUpload(folders, upload, abort),
  };
}
