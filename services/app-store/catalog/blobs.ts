import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import type { BundleImage } from './bundle/read-bundle.ts';
import type { AppAsset } from './client.ts';
import type { Upload } from './uploads.ts';

export const bundleKey = (appId: string): string => `bundles/${appId}.wave`;
export const assetsPrefix = (appId: string): string => `assets/${appId}/`;

/** The blobs of apps: the bundle as imported, the icon and the screenshots. */
export function createAppBlobs(blobs: BlobStore) {
  return {
    async putBundle(appId: string, upload: Upload, signal: AbortSignal): Promise<void> {
      await blobs.put(bundleKey(appId), createReadStream(upload.file), {
        contentType: 'application/zip',
        sha256: upload.sha256,
        ifAbsent: true,
        signal,
      });
    },

    async putAsset(appId: string, image: BundleImage, signal: AbortSignal): Promise<AppAsset> {
      const { name, kind, contentType, content } = image;
      const info = await blobs.put(assetsPrefix(appId) + name, Readable.from([content]), {
        contentType,
        signal,
      });
      return { name, kind, contentType, size: info.size, etag: info.etag };
    },

    async openBundle(
      appId: string,
      signal: AbortSignal,
    ): Promise<{ size: number; content: Readable } | undefined> {
      const blob = await blobs.get(bundleKey(appId), { signal });
      return blob === undefined ? undefined : { size: blob.info.size, content: blob.content };
    },

    /** Of the stored bundle; undefined when it is not there. */
    async bundleFacts(
      appId: string,
      signal: AbortSignal,
    ): Promise<{ size: number; modifiedAt: Date } | undefined> {
      return blobs.head(bundleKey(appId), { signal });
    },

    async openAsset(appId: string, name: string, signal: AbortSignal): Promise<Readable | undefined> {
      return (await blobs.get(assetsPrefix(appId) + name, { signal }))?.content;
    },

    async remove(appId: string, signal: AbortSignal): Promise<void> {
      await blobs.delete(bundleKey(appId), { signal });
      const { blobs: assets } = await blobs.list({ prefix: assetsPrefix(appId), signal });
      for (const { key } of assets) await blobs.delete(key, { signal });
    },

    /** Blobs older than `before` with the app they say they belong to, page by page. */
    async *owned(before: Date, signal: AbortSignal): AsyncGenerator<{ key: string; appId: string }[]> {
      for (const prefix of ['assets/', 'bundles/']) {
        for (let after: string | undefined, more = true; more; more = after !== undefined) {
          const page = await blobs.list({ prefix, signal, ...(after === undefined ? {} : { after }) });
          after = page.next;
          yield page.blobs
            .filter((blob) => blob.modifiedAt <= before)
            .flatMap(({ key }) => {
              const appId = /^(?:assets|bundles)\/([0-9a-f-]{36})[./]/.exec(key)?.[1];
              return appId === undefined ? [] : [{ key, appId }];
            });
        }
      }
    },

    delete: (key: string, signal: AbortSignal) => blobs.delete(key, { signal }),
  };
}

export type AppBlobs = ReturnType<typeof createAppBlobs>;
