import { useSyncExternalStore } from 'react';
import { call } from '../api/http.ts';
import { ApiError } from '../api/problem.ts';
import { abortUpload, bucketAddress } from './queries.ts';
import { putBytes } from './send.ts';
import type { BegunUpload, Collision } from './types.ts';

export type UploadState = 'WAITING' | 'SENDING' | 'DONE' | 'FAILED' | 'TAKEN' | 'CANCELLED';

/** A file on its way. */
export interface Upload {
  readonly id: number;
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  readonly state: UploadState;
  readonly sent: number;
  /** Bytes that an upload of the same file which was broken off had brought already. */
  readonly resumed: number;
  readonly retries: number;
  readonly error: unknown;
}

interface Work {
  readonly file: File;
  collision: Collision;
  cancelling: AbortController;
  uploadId: string | undefined;
}

const filesAtOnce = 3;
const partsAtOnce = 4;
const addressesAtOnce = 20;
const tries = 5;

let uploads: readonly Upload[] = [];
let lastId = 0;
const works = new Map<number, Work>();
const listeners = new Set<() => void>();
let whenDone: (bucket: string) => void = () => {};

/** Uploads go on while one looks at other pages; they are kept beside React. */
export const useUploads = (): readonly Upload[] =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => uploads,
  );

/** Called with the bucket whenever a file has arrived. */
export function onArrival(hear: (bucket: string) => void): void {
  whenDone = hear;
}

export interface ChosenFile {
  readonly file: File;
  /** Below the folder that is open; with its own folders. */
  readonly path: string;
}

export function addUploads(bucket: string, folder: string, chosen: readonly ChosenFile[]): void {
  const added = chosen.map(({ file, path }): Upload => {
    lastId += 1;
    works.set(lastId, { file, collision: 'FAIL', cancelling: new AbortController(), uploadId: undefined });
    const key = folder + path;
    return {
      id: lastId,
      bucket,
      key,
      size: file.size,
      state: 'WAITING',
      sent: 0,
      resumed: 0,
      retries: 0,
      error: undefined,
    };
  });
  set([...uploads, ...added]);
  next();
}

export function cancelUpload(upload: Upload): void {
  const work = works.get(upload.id);
  update(upload.id, { state: 'CANCELLED' });
  work?.cancelling.abort(new DOMException('Cancelled.', 'AbortError'));
  if (work?.uploadId !== undefined)
    void abortUpload(upload.bucket, { key: upload.key, uploadId: work.uploadId }).catch(() => {});
  works.delete(upload.id);
  next();
}

/** What failed, or what stopped at a name that is taken. */
export function retryUpload(upload: Upload, collision?: Collision): void {
  const work = works.get(upload.id);
  if (work === undefined) return;
  works.set(upload.id, {
    ...work,
    collision: collision ?? work.collision,
    cancelling: new AbortController(),
  });
  update(upload.id, { state: 'WAITING', error: undefined, sent: 0 });
  next();
}

/** All that have ended, however. */
export function clearUploads(): void {
  const ended = uploads.filter(({ state }) => state !== 'WAITING' && state !== 'SENDING');
  for (const { id } of ended) works.delete(id);
  set(uploads.filter((upload) => !ended.includes(upload)));
}

export const isUnderWay = ({ state }: Upload): boolean => state === 'WAITING' || state === 'SENDING';

function set(now: readonly Upload[]): void {
  uploads = now;
  for (const listener of listeners) listener();
}

function update(id: number, change: Partial<Upload>): void {
  set(uploads.map((upload) => (upload.id === id ? { ...upload, ...change } : upload)));
}

function next(): void {
  const sending = uploads.filter(({ state }) => state === 'SENDING').length;
  const waiting = uploads.filter(({ state }) => state === 'WAITING').slice(0, filesAtOnce - sending);
  for (const upload of waiting) {
    update(upload.id, { state: 'SENDING' });
    void perform(upload);
  }
  guardLeaving();
}

async function perform(upload: Upload): Promise<void> {
  const work = works.get(upload.id);
  if (work === undefined) return;
  try {
    await send(upload, work);
    works.delete(upload.id);
    update(upload.id, { state: 'DONE', sent: upload.size });
    whenDone(upload.bucket);
  } catch (error) {
    if (!work.cancelling.signal.aborted)
      update(upload.id, {
        state: error instanceof ApiError && error.code === 'object_exists' ? 'TAKEN' : 'FAILED',
        error,
      });
  }
  next();
}

async function send(upload: Upload, work: Work): Promise<void> {
  const { file, collision } = work;
  const { signal } = work.cancelling;
  const begun = await call<BegunUpload>(`${bucketAddress(upload.bucket)}/uploads`, {
    method: 'POST',
    signal,
    body: {
      ...{
        key: upload.key,
        size: file.size,
        modifiedAt: Math.max(0, Math.floor(file.lastModified)),
        collision,
      },
      ...(/^[a-zA-Z0-9!#$&^_.+/; ="-]{1,200}$/.test(file.type) ? { contentType: file.type } : {}),
    },
  });
  if (begun.key !== upload.key) update(upload.id, { key: begun.key });
  const { address, uploadId, partBytes } = begun;
  if (address !== null) {
    const headers = {
      ...(file.type === '' ? {} : { 'content-type': file.type }),
      ...(collision === 'REPLACE' ? {} : { 'if-none-match': '*' }),
    };
    const onProgress = (sent: number) => update(upload.id, { sent });
    await persistently(upload, signal, () =>
      putBytes({ url: address.url, body: file, headers, signal, onProgress }),
    );
    return;
  }
  if (uploadId === null || partBytes === null) throw new Error('An upload in parts has an id.');
  work.uploadId = uploadId;
  await sendParts({ ...upload, key: begun.key }, work, { uploadId, partBytes, there: begun.parts });
  await call<void>(`${bucketAddress(upload.bucket)}/uploads/${encodeURIComponent(uploadId)}/complete`, {
    ...{ method: 'POST', signal, body: { key: begun.key, collision } },
  });
}

async function sendParts(
  upload: Upload,
  { file, cancelling }: Work,
  parts: {
    readonly uploadId: string;
    readonly partBytes: number;
    readonly there: BegunUpload['parts'];
  },
): Promise<void> {
  const { uploadId, partBytes, there } = parts;
  const sizeOf = (number: number) => Math.min(partBytes, file.size - (number - 1) * partBytes);
  const whole = new Set(
    there.filter(({ partNumber, size }) => size === sizeOf(partNumber)).map(({ partNumber }) => partNumber),
  );
  const numbers = Array.from({ length: Math.ceil(file.size / partBytes) }, (_, i) => i + 1);
  const missing = numbers.filter((number) => !whole.has(number));
  const resumed = [...whole].reduce((sum, number) => sum + sizeOf(number), 0);
  let arrived = resumed;
  const underWay = new Map<number, number>();
  const tell = () => {
    let sent = arrived;
    for (const bytes of underWay.values()) sent += bytes;
    update(upload.id, { sent });
  };
  update(upload.id, { sent: resumed, resumed });
  const stop = new AbortController();
  const signal = AbortSignal.any([cancelling.signal, stop.signal]);
  const addresses = addressBook(upload, uploadId, missing, signal);
  const hands = Array.from({ length: partsAtOnce }, async () => {
    for (let number = missing.shift(); number !== undefined; number = missing.shift()) {
      const part = number;
      const body = file.slice((part - 1) * partBytes, part * partBytes);
      await persistently(upload, signal, async (isRetry) => {
        const url = await addresses(part, isRetry);
        const onProgress = (sent: number) => {
          underWay.set(part, sent);
          tell();
        };
        await putBytes({ url, body, signal, onProgress }).finally(() => underWay.delete(part));
      });
      arrived += body.size;
      tell();
    }
  });
  await Promise.all(hands).catch((error: unknown) => {
    stop.abort(error);
    throw error;
  });
}

/** Addresses of parts, asked for several at a time; anew for a part that is tried again, whose address may have ended. */
function addressBook(upload: Upload, uploadId: string, missing: readonly number[], signal: AbortSignal) {
  const known = new Map<number, Promise<string>>();
  const ask = (partNumbers: readonly number[]): void => {
    const answer = call<{ items: readonly { partNumber: number; url: string }[] }>(
      `${bucketAddress(upload.bucket)}/uploads/${encodeURIComponent(uploadId)}/addresses`,
      { method: 'POST', body: { key: upload.key, partNumbers }, signal },
    );
    for (const number of partNumbers) {
      const url = answer.then(({ items }) => {
        const found = items.find(({ partNumber }) => partNumber === number);
        if (found === undefined) throw new Error(`Part ${number} got no address.`);
        return found.url;
      });
      url.catch(() => known.delete(number));
      known.set(number, url);
    }
  };
  return (number: number, anew: boolean): Promise<string> => {
    if (anew || !known.has(number)) ask([number, ...(anew ? [] : missing.slice(0, addressesAtOnce - 1))]);
    const url = known.get(number);
    if (url === undefined) throw new Error(`Part ${number} got no address.`);
    return url;
  };
}

/** Tried again after longer and longer waits, as long as it may be the connection, or an address that has ended. */
async function persistently(
  upload: Upload,
  signal: AbortSignal,
  attempt: (isRetry: boolean) => Promise<void>,
): Promise<void> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt(count > 1);
    } catch (error) {
      signal.throwIfAborted();
      if (count >= tries || !isWorthAnotherTry(error)) throw error;
      update(upload.id, { retries: count });
      await pause(500 * 2 ** count, signal);
    }
  }
}

const isWorthAnotherTry = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.status === 0 || error.status >= 500 || error.status === 429 || error.code === 'RequestTimeout') &&
  error.code !== 'insufficient_storage';

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', end, { once: true });
  });

let isGuarding = false;
const askBeforeLeaving = (event: BeforeUnloadEvent): void => event.preventDefault();

/** Who closes the page while files are on their way is asked whether they mean it. */
function guardLeaving(): void {
  const isNeeded = uploads.some(isUnderWay);
  if (isNeeded === isGuarding) return;
  isGuarding = isNeeded;
  if (isNeeded) window.addEventListener('beforeunload', askBeforeLeaving);
  else window.removeEventListener('beforeunload', askBeforeLeaving);
}
