import { createAzureBlobStore } from '@haic/platform/blob/azure/store.ts';
import { findAzureStrays } from '@haic/platform/blob/azure/strays.ts';
import type { StrayOptions } from '@haic/platform/blob/cloud/strays.ts';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { createGcsBlobStore } from '@haic/platform/blob/gcs/store.ts';
import { findGcsStrays } from '@haic/platform/blob/gcs/strays.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { createS3BlobStore } from '@haic/platform/blob/s3/store.ts';
import { findS3Strays } from '@haic/platform/blob/s3/strays.ts';
import type { BlobStoreSetting } from '@haic/platform/blob/setting.ts';
import type { Installation } from './installation.ts';
import type { ServerSettings } from './settings.ts';

/** The one store of bundles and objects, as `HAIC_BLOB_STORE` says; `etags` are what they are made of where files are kept. */
export async function openBlobs(
  settings: Pick<ServerSettings, 'blobStore' | 'blobStoreKey'>,
  at: Pick<Installation, 'blobs'>,
  { etags }: { etags: 'md5' | 'sha256' },
): Promise<BlobStore> {
  const store = settings.blobStore;
  switch (store?.kind) {
    case undefined:
      return createFilesystemBlobStore({ directory: at.blobs, etags });
    case 'filesystem':
      return createFilesystemBlobStore({ directory: store.directory, etags });
    case 's3':
      return createS3BlobStore(given(store));
    case 'azure':
      return createAzureBlobStore({ ...given(store), ...given({ accountKey: settings.blobStoreKey }) });
    case 'gcs':
      return createGcsBlobStore(given(store));
  }
}

/** Names of what is kept in a store of its own and belongs to nothing, as a crash leaves it. */
export async function findStraysInStore(
  store: Exclude<BlobStoreSetting, { kind: 'filesystem' }>,
  { blobStoreKey }: Pick<ServerSettings, 'blobStoreKey'>,
  options: StrayOptions,
): Promise<readonly string[]> {
  switch (store.kind) {
    case 's3':
      return findS3Strays(given(store), options);
    case 'azure':
      return findAzureStrays({ ...given(store), ...given({ accountKey: blobStoreKey }) }, options);
    case 'gcs':
      return findGcsStrays(given(store), options);
  }
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without what was left out. */
const given = <T extends object>(options: T): Given<T> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<T>;
