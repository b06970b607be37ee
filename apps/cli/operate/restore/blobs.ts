import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { messageOf } from '@haic/kit/errors.ts';
import { sideBySide } from '@haic/kit/side-by-side.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { type BlobStoreSetting, describeBlobStore } from '@haic/platform/blob/setting.ts';
import { readJson, writeAtomically } from '@haic/platform/runtime/local/durable-file.ts';
import { openBlobs } from '@haic/server/blobs.ts';
import type { Installation } from '@haic/server/installation.ts';
import type { ServerSettings } from '@haic/server/settings.ts';
import { CommandError, step } from '../../terminal.ts';
import type { Contents } from './stage.ts';

/**
 * Bundles and objects of a backup go into the store that HAIC_BLOB_STORE names before it is decided whether the restore happens. The store
 * was empty then, and a mark in it says so as long as nothing is decided: whatever is beside it belongs to that restore. A note in
 * `restoring/` knows store and mark, so that whoever comes after a restore that was cut off takes back just that. What the decision
 * makes good loses the mark first of all.
 */
const markKey = 'unfinished-restore';
const noteFile = (staging: Installation) => path.join(staging.home, 'objects.json');

interface Mark {
  readonly id: string;
  /** Where the restore was begun, for people. */
  readonly host: string;
  readonly home: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

interface Note {
  readonly id: string;
  readonly store: BlobStoreSetting;
}

type StoreKey = Partial<Pick<ServerSettings, 'blobStoreKey'>>;
type StoreSettings = StoreKey & Pick<ServerSettings, 'blobStore'>;

/** Drive's clients look at etags, and everybody else takes any. */
const openStore = ({ blobStore, blobStoreKey }: StoreSettings, at: Pick<Installation, 'blobs'>) =>
  openBlobs({ blobStore, blobStoreKey }, at, { etags: 'md5' });

/** Where the bundles and objects of a backup go: with everything else, or into a store of its own, which is marked before its first blob. */
export interface PlaceOfBlobs {
  open(): Promise<BlobStore>;
}

/** Refuses a store that holds something already: nothing there could be told from what was put back when it fails. */
export async function placeOfBlobs(
  settings: StoreSettings,
  staging: Installation,
  { blobSize }: Pick<Contents, 'blobSize'>,
  signal: AbortSignal,
): Promise<PlaceOfBlobs> {
  const own = settings.blobStore;
  if (own === undefined || blobSize === undefined) return { open: () => openStore(settings, staging) };
  const unfinished = await unfinishedRestoreIn({ ...settings, blobStore: own }, staging, signal);
  if (unfinished !== undefined)
    throw new CommandError(`${unfinished.found} ${unfinished.remedy} Nothing was changed.`);
  const store = await openStore(settings, staging);
  if ((await store.list({ prefix: '', limit: 1, signal })).blobs.length > 0)
    throw new CommandError(
      `There are objects in ${describeBlobStore(own)} already, and the backup holds some. Name an empty place by HAIC_BLOB_STORE, another prefix for example, or empty this one. Nothing was changed.`,
    );
  return {
    open: async () => {
      const id = randomUUID();
      const note: Note = { id, store: own };
      await writeAtomically(noteFile(staging), JSON.stringify(note));
      const home = path.dirname(staging.home);
      const mark: Mark = { id, host: hostname(), home, startedAt: new Date().toISOString() };
      const content = Buffer.from(JSON.stringify(mark));
      await store.put(markKey, Readable.from([content]), { size: content.length, ifAbsent: true, signal });
      return store;
    },
  };
}

/** What a restore that is decided put into a store of its own is the installation's from now on. */
export async function keepBlobs(staging: Installation, settings: StoreKey): Promise<void> {
  const note = await readNote(staging);
  if (note === undefined) return;
  try {
    const store = await markedStore(note, staging, settings);
    await store?.delete(markKey, { signal: AbortSignal.timeout(60_000) });
  } catch (error) {
    throw new CommandError(
      `A restore is decided, and cannot be completed before ${describeBlobStore(note.store)} answers. ${messageOf(error)}`,
    );
  }
}

/**
 * Empties the store of what a restore that is not decided put into it; does nothing where it put nothing, or where somebody has emptied it since.
 * Throws CommandError when the store does not let it; the note stays for the next attempt.
 */
export async function takeBackBlobs(staging: Installation, settings: StoreKey): Promise<void> {
  const note = await readNote(staging);
  if (note === undefined) return;
  const where = describeBlobStore(note.store);
  try {
    const store = await markedStore(note, staging, settings);
    if (store === undefined) return;
    await step(`Removing what the restore put into ${where}`, (tell) => empty(store, tell));
  } catch (error) {
    throw new CommandError(
      `What a restore that was cut off put into ${where} could not all be removed. ${messageOf(error)} Mend that and repeat the command; or empty the place by hand, and remove ${noteFile(staging)}.`,
    );
  }
}

async function empty(store: BlobStore, tell: (detail: string) => void): Promise<void> {
  let removed = 0;
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const signal = AbortSignal.timeout(120_000);
    const page = await store.list({ prefix: '', signal, ...(after === undefined ? {} : { after }) });
    after = page.next;
    const keys = page.blobs.map(({ key }) => key).filter((key) => key !== markKey);
    await sideBySide(keys, (key) => store.delete(key, { signal }));
    removed += keys.length;
    tell(`${removed} objects`);
  }
  await store.delete(markKey, { signal: AbortSignal.timeout(60_000) });
}

/**
 * What a restore is putting into the store of these settings, or was when it was cut off: nobody's as yet, and perhaps taken back in a moment.
 * Undefined where there is no such mark.
 */
export async function unfinishedRestoreIn(
  settings: StoreSettings & { readonly blobStore: BlobStoreSetting },
  at: Pick<Installation, 'blobs'>,
  signal: AbortSignal,
): Promise<{ readonly found: string; readonly remedy: string } | undefined> {
  const mark = await readMark(await openStore(settings, at), signal);
  if (mark === undefined) return undefined;
  const since = mark.startedAt.slice(0, 16).replace('T', ' ');
  return {
    found: `${describeBlobStore(settings.blobStore)} holds what a restore into ${mark.home} on ${mark.host} has put there since ${since} UTC, and that has not ended.`,
    remedy: `If it was cut off, ./haic up or ./haic restore removes it, there, with HAIC_HOME=${mark.home}. Where that is gone, empty the place by hand, or name another by HAIC_BLOB_STORE.`,
  };
}

/** The store that the note names, if what is in there is still of the restore that the note is of. */
async function markedStore(
  { id, store: blobStore }: Note,
  staging: Installation,
  { blobStoreKey }: StoreKey,
): Promise<BlobStore | undefined> {
  const store = await openStore({ blobStore, blobStoreKey }, staging);
  const mark = await readMark(store, AbortSignal.timeout(60_000));
  return mark?.id === id ? store : undefined;
}

async function readMark(store: BlobStore, signal: AbortSignal): Promise<Mark | undefined> {
  const blob = await store.get(markKey, { signal });
  return blob === undefined ? undefined : (JSON.parse((await buffer(blob.content)).toString()) as Mark);
}

const readNote = (staging: Installation): Promise<Note | undefined> => readJson<Note>(noteFile(staging));
