/** Raised when a reader of today could not read what is written then. */
export const formatVersion = 1;

/**
 * The last bytes of a backup without passphrase: a frame that zstd and tar skip. Without it, or with something behind it, the file
 * is not what was written, even when everything can still be unpacked.
 */
const endText = 'haic-backup ends here\n';
export const plainEnd = Buffer.concat([
  Buffer.from([0x50, 0x2a, 0x4d, 0x18, endText.length, 0, 0, 0]),
  Buffer.from(endText),
]);

/** The first part: what somebody must know before reading on. */
export interface BackupHeader {
  readonly format: number;
  readonly haic: string;
  /** As the server says it, e.g. `18.4`. */
  readonly postgres: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly publicUrl: string;
  /** Settings that were made by the environment, without secrets and without places of that machine. */
  readonly settings: Readonly<Record<string, string>>;
  /** The store of bundles and objects, for people, where they were left in it. */
  readonly blobsElsewhere?: string;
}

export const parts = {
  header: 'header.json',
  masterKey: 'secrets/master-key',
  /** Absent where no rotation made any. */
  secureStoreKeys: 'secrets/secure-store-keys',
  schemas: 'database/schemas.json',
  rows: 'database/rows/',
  blobs: 'blobs/',
  volumes: 'volumes/',
  workloads: 'workloads.json',
  manifest: 'manifest.json',
  seal: 'manifest.sha256',
} as const;

/** Beside each blob, in the part before it. */
export interface BlobHead {
  readonly key: string;
  readonly size: number;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The last part but one: every part before it. The last holds the manifest's own SHA-256. */
export interface Manifest {
  readonly parts: readonly PartSum[];
}

export interface PartSum {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}
