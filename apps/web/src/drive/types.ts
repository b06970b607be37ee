/** As the API answers (`/api/v1/drive`). */
export interface DriveAbout {
  readonly driveUrl: string;
  readonly stsUrl: string;
  readonly trashDays: number;
}

export interface DriveUsage {
  readonly bytes: number;
  readonly objects: number;
  readonly quota: number | null;
}

export interface DriveBucket {
  /** `_my`, or the id of a workspace. */
  readonly name: string;
  readonly kind: 'OWN' | 'WORKSPACE';
  readonly role: string;
  readonly canWrite: boolean;
  readonly usage: DriveUsage;
  readonly trash: DriveUsage;
}

export interface DriveEntry {
  readonly key: string;
  readonly name: string;
  readonly kind: 'FOLDER' | 'OBJECT';
  readonly size?: number;
  readonly modifiedAt?: string;
  readonly etag?: string;
}

export interface DriveObject {
  readonly url: string;
  readonly expiresAt: string;
  readonly size: number;
  readonly contentType: string;
}

export interface DriveAddress {
  readonly url: string;
  readonly expiresAt: string;
}

export interface BegunUpload {
  readonly key: string;
  readonly address: DriveAddress | null;
  readonly uploadId: string | null;
  readonly partBytes: number | null;
  readonly parts: readonly { readonly partNumber: number; readonly size: number }[];
}

export interface OpenUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly startedAt: string;
}

export type Collision = 'FAIL' | 'REPLACE' | 'KEEP_BOTH';

export type WantedOperation =
  | {
      readonly kind: 'COPY' | 'MOVE';
      readonly bucket: string;
      readonly keys: readonly string[];
      readonly target: { readonly bucket: string; readonly into?: string; readonly as?: string };
      readonly collision: Collision;
    }
  | { readonly kind: 'DELETE'; readonly bucket: string; readonly keys: readonly string[] }
  | {
      readonly kind: 'RESTORE';
      readonly bucket: string;
      readonly trash: readonly string[];
      readonly collision: Collision;
    }
  | { readonly kind: 'PURGE'; readonly bucket: string; readonly trash?: readonly string[] };

export interface DriveOperation {
  readonly id: string;
  readonly kind: WantedOperation['kind'];
  readonly bucket: string;
  readonly state: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  readonly done: number;
  readonly failed: number;
  readonly total: number | null;
  readonly failures: readonly { readonly key: string; readonly code: string; readonly message: string }[];
  readonly trashId: string | null;
}

export interface SharedLink {
  readonly id: string;
  readonly key: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

export interface TrashEntry {
  readonly id: string;
  readonly name: string;
  readonly items: number;
  readonly deletedBy: string;
  readonly deletedAt: string;
  readonly emptiedAt: string;
}
