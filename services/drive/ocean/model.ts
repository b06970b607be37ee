export const operationKinds = ['COPY', 'MOVE', 'DELETE', 'RESTORE', 'PURGE'] as const;
export type OperationKind = (typeof operationKinds)[number];

/** RUNNING → one of the others. */
export type OperationState = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** What to do with an object that is where another is to go. */
export const collisions = ['FAIL', 'REPLACE', 'KEEP_BOTH'] as const;
export type Collision = (typeof collisions)[number];

/** One or many objects that are handled together. */
export interface Operation {
  readonly id: string;
  readonly subject: string;
  readonly kind: OperationKind;
  readonly bucket: string;
  readonly state: OperationState;
  /** Objects; `total` is undefined until they are counted. */
  readonly done: number;
  readonly failed: number;
  readonly total: number | undefined;
  /** The first few. */
  readonly failures: readonly Failure[];
  /** By which a deletion is undone. */
  readonly trashId: string | undefined;
  readonly createdAt: Date;
  readonly endedAt: Date | undefined;
}

export interface Failure {
  readonly key: string;
  readonly code: string;
  readonly message: string;
}

/** What was deleted together. */
export interface TrashEntry {
  readonly id: string;
  /** The first key; of a folder with its slash. */
  readonly name: string;
  readonly items: number;
  /** The subject. */
  readonly deletedBy: string;
  readonly deletedAt: Date;
}

/** A folder is what keys begin with, up to and including a slash. */
export const isFolder = (key: string): boolean => key.endsWith('/');

/** The last segment: `c.csv` of `a/b/c.csv`, `b/` of `a/b/`. */
export const lastName = (key: string): string => key.slice(key.lastIndexOf('/', key.length - 2) + 1);

/** What is before the last segment: `a/b/` of `a/b/c.csv`, `a/` of `a/b/`. */
export const folderOf = (key: string): string => key.slice(0, key.length - lastName(key).length);

/** `report (1).csv`, `report (2).csv`, … */
export function anotherName(key: string, count: number): string {
  const name = lastName(key);
  const dot = name.lastIndexOf('.');
  const stem = dot > 0 ? name.slice(0, dot) : name;
  return `${folderOf(key)}${stem} (${count})${dot > 0 ? name.slice(dot) : ''}`;
}

export const bounds = {
  /** Of the browser's parts; the smallest that every store takes is 5 MiB. */
  partBytes: 8 * 1024 ** 2,
  /** What is larger comes in parts. */
  wholeBytes: 8 * 1024 ** 2,
  parts: 10_000,
  keyBytes: 1024,
  keysPerOperation: 1000,
  running: 5,
  shareSeconds: 7 * 24 * 60 * 60,
  failuresTold: 20,
} as const;
