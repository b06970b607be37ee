import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import type { Loading, SchemaCopy } from '@haic/platform/database/dump.ts';
import {
  type ClaimCopy,
  checkedClaim,
  type WorkloadCopy,
  writeWorkloads,
} from '@haic/platform/runtime/local/copies.ts';
import { removeTree } from '@haic/platform/runtime/local/records.ts';
import { type Installation, secureStoreKeyFile } from '@haic/server/installation.ts';
import { type BackupHeader, type BlobHead, parts } from '../backup/format.ts';
import { type Part, readArchive, textOf, Unreadable } from '../backup/read-archive.ts';
import { unpackVolume } from '../backup/volumes.ts';

export interface Archive {
  readonly file: string;
  readonly passphrase: string | undefined;
  readonly signal: AbortSignal;
}

/** What of a backup has to be known before its rows can be loaded. */
export interface Contents {
  readonly header: BackupHeader;
  readonly masterKey: string;
  /** Undefined in a backup without any. */
  readonly secureStoreKeys: string | undefined;
  readonly schemas: readonly SchemaCopy[];
  /** Bytes, unpacked. */
  readonly size: number;
  /** Bytes of bundles and objects among them; undefined when there are none in it. */
  readonly blobSize: number | undefined;
  readonly instances: number;
}

interface Workloads {
  readonly workloads: readonly WorkloadCopy[];
  readonly claims: readonly ClaimCopy[];
}

const readFirst: ReadonlySet<string> = new Set([
  parts.masterKey,
  parts.secureStoreKeys,
  parts.schemas,
  parts.workloads,
]);

/** Reads all of it, checks all of it, and touches nothing. */
export async function inspect(archive: Archive, tell: (bytes: number) => void): Promise<Contents> {
  const texts = new Map<string, string>();
  let size = 0;
  let blobSize: number | undefined;
  const header = await readArchive(archive.file, archive, async ({ name, content }) => {
    if (readFirst.has(name)) {
      texts.set(name, await textOf(content));
      return;
    }
    for await (const chunk of content) {
      size += chunk.length;
      if (name.startsWith(parts.blobs)) blobSize = (blobSize ?? 0) + chunk.length;
      tell(size);
    }
  });
  const text = (name: string): string => {
    const found = texts.get(name);
    if (found === undefined) throw new Unreadable(`It has no ${name}.`);
    return found;
  };
  const { workloads } = JSON.parse(text(parts.workloads)) as Workloads;
  return {
    header,
    masterKey: text(parts.masterKey),
    secureStoreKeys: texts.get(parts.secureStoreKeys),
    schemas: JSON.parse(text(parts.schemas)) as SchemaCopy[],
    size,
    blobSize,
    instances: workloads.length,
  };
}

/** Reads it once more, and puts each part into the place that was made for it. */
export async function unpackInto(
  staging: Installation,
  archive: Archive,
  loading: Loading,
  blobs: BlobStore,
  tell: (bytes: number) => void,
): Promise<void> {
  let size = 0;
  let blob: BlobHead | undefined;
  const place = async ({ name, content: all }: Part): Promise<void> => {
    const content = counted(all, (length) => {
      size += length;
      tell(size);
    });
    if (name.startsWith(parts.rows)) {
      const [schema = '', ...table] = name.slice(parts.rows.length).split('.');
      return loading.rows(schema, table.join('.'), content);
    }
    if (name.startsWith(parts.blobs) && name.endsWith('.json')) {
      blob = JSON.parse(await textOf(content)) as BlobHead;
    } else if (name.startsWith(parts.blobs)) {
      if (blob === undefined) throw new Unreadable('A blob has no name.');
      const { key, contentType, metadata } = blob;
      blob = undefined;
      await blobs.put(key, Readable.from(content), { contentType, metadata, signal: archive.signal });
    } else if (name.startsWith(parts.volumes)) {
      const claim = checkedClaim(name.slice(parts.volumes.length, -'.tar'.length));
      const directory = path.join(staging.volumes, claim);
      await mkdir(directory, { mode: 0o700 });
      await unpackVolume(directory, content, archive.signal);
    } else if (name === parts.workloads) {
      await placeWorkloads(staging, JSON.parse(await textOf(content)) as Workloads);
    }
  };
  await readArchive(archive.file, archive, place);
}

async function placeWorkloads(staging: Installation, { workloads, claims }: Workloads): Promise<void> {
  await writeWorkloads(staging.runtime, workloads, claims);
  // Their instances were terminated while the backup was made.
  const known = new Set(claims.map(({ claim }) => claim));
  for (const claim of await readdir(staging.volumes))
    if (!known.has(claim)) await removeTree(path.join(staging.volumes, claim));
}

export async function placeKeys(
  staging: Installation,
  { masterKey, secureStoreKeys }: Pick<Contents, 'masterKey' | 'secureStoreKeys'>,
): Promise<void> {
  await placeKey(path.join(staging.secrets, 'master-key'), masterKey);
  if (secureStoreKeys !== undefined) await placeKey(secureStoreKeyFile(staging), secureStoreKeys);
}

async function placeKey(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600, flag: 'wx', flush: true });
  await chmod(file, 0o600);
}

async function* counted(
  content: AsyncIterable<Buffer>,
  onBytes: (length: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    onBytes(chunk.length);
    yield chunk;
  }
}
