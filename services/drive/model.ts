import type { PartyKind } from '@haic/kit/auth/principal.ts';
import type { WorkspaceRole } from '@haic/services/workspaces/client.ts';

/** For whom keys were given out, and by which client's token. What membership depends on is as the token said it then. */
export interface DriveSession {
  readonly subject: string;
  readonly username: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly party: string;
  readonly partyKind: PartyKind;
  readonly instanceId: string | undefined;
  /** `sid` of the token: the sign-in that it came of, if any. */
  readonly signIn: string | undefined;
  /** Of keys that are in a link: its id, without which they end. A link goes on after its maker's sign-in. */
  readonly share?: string | undefined;
  /** Of keys that are in an address which the audit trail heard of when it was given. */
  readonly isTold?: boolean;
  /** Both in seconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** What signs requests. */
export interface Credentials {
  readonly session: DriveSession;
  readonly secretAccessKey: string;
}

export interface IssuedCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAt: Date;
}

/** One collection of objects: somebody's own, or that of a workspace. */
export interface Bucket {
  /** As it was asked for, aliases included; what answers repeat. */
  readonly name: string;
  /** What all of its blobs' keys begin with; ends in a slash. Also its name in the accounts of usage. */
  readonly prefix: string;
  readonly kind: 'own' | 'workspace';
  /** The person's subject, or the id of the workspace. */
  readonly id: string;
  readonly role: WorkspaceRole;
}

/** AWS's own limits, which clients are built for. */
export const limits = {
  objectBytes: 5 * 1024 ** 4,
  singlePutBytes: 5 * 1024 ** 3,
  partBytes: 5 * 1024 ** 3,
  smallestPartBytes: 5 * 1024 ** 2,
  parts: 10_000,
  keysPerPage: 1000,
  metadataBytes: 2048,
} as const;
