import type { BlobStore } from '@haic/platform/blob/port.ts';
import type { UsageStore } from './store.ts';

const pageSize = 1000;

/**
 * Makes the account of a bucket true, whatever happened to it, while others go on writing: wherever account and objects differ, that one key is
 * looked at again, under its lock. `bucket` is the prefix of its blobs.
 */
export async function recount(store: UsageStore, blobs: BlobStore, bucket: string): Promise<void> {
  const signal = () => AbortSignal.timeout(120_000);
  const settle = (key: string) =>
    store.accountObject(
      bucket,
      key,
      async () => (await blobs.head(bucket + key, { signal: signal() }))?.size,
    );
  const there = blobsOf(blobs, bucket, signal);
  const known = accountedOf(store, bucket);
  let blob = await there.next();
  let entry = await known.next();
  while (blob.done !== true || entry.done !== true) {
    const order =
      blob.done === true ? 1 : entry.done === true ? -1 : compareKeys(blob.value.key, entry.value.key);
    if (order < 0 && blob.done !== true) await settle(blob.value.key);
    else if (order > 0 && entry.done !== true) await settle(entry.value.key);
    else if (blob.done !== true && entry.done !== true && blob.value.bytes !== entry.value.bytes)
      await settle(blob.value.key);
    if (order <= 0) blob = await there.next();
    if (order >= 0) entry = await known.next();
  }
  await recountUploads(store, blobs, bucket, signal);
  await store.sumUp(bucket);
}

const compareKeys = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

async function* blobsOf(blobs: BlobStore, bucket: string, signal: () => AbortSignal) {
  let after: string | undefined;
  do {
    const page = await blobs.list({
      prefix: bucket,
      limit: pageSize,
      signal: signal(),
      ...(after === undefined ? {} : { after }),
    });
    for (const { key, size } of page.blobs) yield { key: key.slice(bucket.length), bytes: size };
    after = page.next;
  } while (after !== undefined);
}

async function* accountedOf(store: UsageStore, bucket: string) {
  let after: string | undefined;
  for (;;) {
    const page = await store.accounted(bucket, after, pageSize);
    yield* page;
    if (page.length < pageSize) return;
    after = page.at(-1)?.key;
  }
}

async function recountUploads(
  store: UsageStore,
  blobs: BlobStore,
  bucket: string,
  signal: () => AbortSignal,
): Promise<void> {
  const open = new Set<string>();
  let after: { key: string; uploadId: string } | undefined;
  for (;;) {
    const page = await blobs.listUploads({
      prefix: bucket,
      signal: signal(),
      ...(after === undefined ? {} : { after }),
    });
    for (const upload of page.uploads) {
      open.add(upload.uploadId);
      await recountParts(store, blobs, bucket, upload, signal);
    }
    after = page.uploads.at(-1);
    if (!page.more || after === undefined) break;
  }
  for (const uploadId of await store.accountedUploads(bucket))
    if (!open.has(uploadId)) await store.forgetParts(bucket, uploadId);
}

async function recountParts(
  store: UsageStore,
  blobs: BlobStore,
  bucket: string,
  upload: { readonly key: string; readonly uploadId: string },
  signal: () => AbortSignal,
): Promise<void> {
  let after: number | undefined;
  for (;;) {
    const page = await blobs.listParts(upload, {
      signal: signal(),
      ...(after === undefined ? {} : { after }),
    });
    for (const { partNumber, size } of page.parts)
      await store.accountPart(bucket, { uploadId: upload.uploadId, partNumber, bytes: size });
    after = page.parts.at(-1)?.partNumber;
    if (!page.more || after === undefined) return;
  }
}
