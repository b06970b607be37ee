import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { haicVersion } from '@haic/kit/version.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { describeBlobStore } from '@haic/platform/blob/setting.ts';
import { type Snapshot, withSnapshot } from '@haic/platform/database/dump.ts';
import { readClaims, readWorkloads } from '@haic/platform/runtime/local/copies.ts';
import { inBytes } from '@haic/platform/runtime/termination.ts';
import { openBlobs } from '@haic/server/blobs.ts';
import { type Installation, readSecrets, secureStoreKeyFile } from '@haic/server/installation.ts';
import { allMigrations } from '@haic/server/migrations.ts';
import { installationOf, readSettings, type ServerSettings } from '@haic/server/settings.ts';
import { instanceSelector } from '@haic/services/app-store/scheduler/model.ts';
import { withDatabase } from '../../installation/database.ts';
import { oneAtATime } from '../../installation/one-at-a-time.ts';
import { type RunningInstallation, readRecord } from '../../installation/processes.ts';
import { CommandError, print, say, step } from '../../terminal.ts';
import { refuseUnfinishedRestore } from '../restore/journal.ts';
import { cancellable } from './cancel.ts';
import { type BackupHeader, type BlobHead, formatVersion, parts } from './format.ts';
import { newPassphrase, type PassphraseFlags } from './passphrase.ts';
import { decidedSettings, takeOver } from './running.ts';
import { packVolume } from './volumes.ts';
import { type ArchiveWriter, writeArchive } from './write-archive.ts';

/**
 * Everything that cannot be made again, in one file, whether Haic runs or not. What holds at any moment (docs/adr/0006): an app of the
 * backup has its bundle in it, and an instance its app, its sign-in client and its volumes.
 */
export async function backup(
  settings: ServerSettings,
  file: string,
  flags: PassphraseFlags & { readonly objects?: boolean },
): Promise<void> {
  const at = installationOf(settings);
  await refuseWithoutHaic(at);
  const target = path.resolve(file);
  const passphrase = await newPassphrase(flags);
  if (passphrase === undefined)
    say(
      'Without a passphrase: the file holds the master key and opens everything. Keep it as you keep passwords, or use --encrypt.',
    );
  const size = await cancellable((signal) =>
    oneAtATime(at, async () => {
      await refuseUnfinishedRestore(at);
      return withDatabase(at, settings, async (url, environment) => {
        const archive = await explained(target, () => writeArchive(target, { passphrase, signal }));
        try {
          await explained(target, () =>
            fill(archive, at, settings, { url, environment, objects: flags.objects === true, signal }),
          );
          return await explained(target, () => archive.finish());
        } catch (error) {
          await archive.discard();
          throw error;
        }
      });
    }),
  );
  print(target);
  say(`${inBytes(size)}. Restore it, here or on another machine: ./haic restore ${path.basename(target)}`);
}

interface Source {
  readonly url: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Also out of a store of their own. */
  readonly objects: boolean;
  readonly signal: AbortSignal;
}

async function fill(
  archive: ArchiveWriter,
  at: Installation,
  settings: ServerSettings,
  source: Source,
): Promise<void> {
  // Before and after the database's instant: an instance that is there both times was there in between, and so was its app.
  const before = await readWorkloads(at.runtime, instanceSelector);
  const keysBefore = await readSecureStoreKeys(at);
  const blobs = await blobsToCopy(at, source);
  await withSnapshot(source.url, allMigrations, source.signal, async (snapshot) => {
    const header = await headerOf(at, settings, source, snapshot, blobs);
    await archive.addText(parts.header, JSON.stringify(header, undefined, 1));
    await archive.addText(parts.masterKey, `${(await readSecrets(at)).masterKey.toString('hex')}\n`);
    await addSecureStoreKeys(archive, at, keysBefore);
    await step('Copying the database', (tell) => addDatabase(archive, snapshot, tell));
    if ('store' in blobs)
      await step('Copying bundles and objects', (tell) =>
        addBlobs(archive, blobs.store, source.signal, tell),
      );
    else
      say(
        `Bundles and objects are in ${blobs.elsewhere} and not in this backup: keep that store by its own means, and restore with the same HAIC_BLOB_STORE. Or take them along: ./haic backup --objects`,
      );
  });
  const there = await readWorkloads(at.runtime, instanceSelector);
  const kept = new Set([...before.keys()].filter((name) => there.has(name)));
  await step('Copying volumes', (tell) => addVolumes(archive, at, kept, source.signal, tell));
  await step('Copying instances', (tell) => addWorkloads(archive, at, kept, tell));
}

/** Where the platform keeps them, which this shell need not know when it runs. */
async function blobsToCopy(
  at: Installation,
  { environment, objects }: Source,
): Promise<{ readonly store: BlobStore } | { readonly elsewhere: string }> {
  const kept = readSettings(environment);
  if (kept.blobStore !== undefined && !objects) return { elsewhere: describeBlobStore(kept.blobStore) };
  takeOver(environment);
  return { store: await openBlobs(kept, at, { etags: 'md5' }) };
}

async function headerOf(
  at: Installation,
  settings: ServerSettings,
  source: Source,
  snapshot: Snapshot,
  blobs: object,
): Promise<BackupHeader> {
  const running = await readRecord<RunningInstallation>(at.run, 'installation');
  return {
    format: formatVersion,
    haic: haicVersion,
    postgres: snapshot.serverVersion,
    createdAt: new Date().toISOString(),
    publicUrl: running?.publicUrl ?? settings.publicUrl,
    settings: decidedSettings(source.environment),
    ...('elsewhere' in blobs ? { blobsElsewhere: String(blobs.elsewhere) } : {}),
  };
}

/** Before and after the database's instant: whichever key wraps what it holds, a rotation may have come in between. */
async function addSecureStoreKeys(archive: ArchiveWriter, at: Installation, before: readonly string[]) {
  const keys = [...new Set([...(await readSecureStoreKeys(at)), ...before])];
  if (keys.length > 0) await archive.addText(parts.secureStoreKeys, keys.map((key) => `${key}\n`).join(''));
}

async function readSecureStoreKeys(at: Installation): Promise<readonly string[]> {
  const text = await readFile(secureStoreKeyFile(at), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').filter((line) => line !== '');
}

async function addDatabase(archive: ArchiveWriter, snapshot: Snapshot, tell: (text: string) => void) {
  await archive.addText(parts.schemas, JSON.stringify(snapshot.schemas, undefined, 1));
  let size = 0;
  for (const { schema, tables } of snapshot.schemas) {
    for (const table of tables) {
      const rows = await snapshot.rows(schema, table);
      size += (await archive.add(`${parts.rows}${schema}.${table.name}`, rows)).size;
      tell(inBytes(size));
    }
  }
}

/**
 * After the database's instant, and while nobody removes any: all that its rows name are there. What has been imported since is
 * copied with the rest and belongs to no app; the restored installation sweeps it.
 */
async function addBlobs(
  archive: ArchiveWriter,
  blobs: BlobStore,
  signal: AbortSignal,
  tell: (text: string) => void,
) {
  let number = 0;
  let size = 0;
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const page = await blobs.list({ prefix: '', signal, ...(after === undefined ? {} : { after }) });
    after = page.next;
    for (const { key } of page.blobs) {
      const blob = await blobs.get(key, { signal });
      // The leftovers of an import that failed meanwhile.
      if (blob === undefined) continue;
      // Cancelled while nobody reads it yet, it would end the process.
      blob.content.on('error', () => undefined);
      number += 1;
      const { contentType, metadata, size: length } = blob.info;
      const head: BlobHead = { key, size: length, contentType, metadata };
      await archive.addText(`${parts.blobs}${number}.json`, JSON.stringify(head));
      size += (await archive.add(`${parts.blobs}${number}`, blob.content)).size;
      tell(`${number}, ${inBytes(size)}`);
    }
  }
}

async function addVolumes(
  archive: ArchiveWriter,
  at: Installation,
  kept: ReadonlySet<string>,
  signal: AbortSignal,
  tell: (text: string) => void,
) {
  let size = 0;
  for (const { claim, workload } of await readClaims(at.runtime)) {
    if (!kept.has(workload)) continue;
    const volume = path.join(at.volumes, claim);
    if (!(await exists(volume))) continue;
    const { content, done } = packVolume(volume, signal);
    done.catch(() => undefined);
    size += (await archive.add(`${parts.volumes}${claim}.tar`, content)).size;
    // Gone while it was read: its instance was terminated, and is left out below.
    await done.catch(async (error: unknown) => {
      if (await exists(volume)) throw error;
    });
    tell(inBytes(size));
  }
}

/** The last part: what was terminated while its volumes were read is not an instance of this backup. */
async function addWorkloads(
  archive: ArchiveWriter,
  at: Installation,
  kept: ReadonlySet<string>,
  tell: (text: string) => void,
) {
  const now = await readWorkloads(at.runtime, instanceSelector);
  const workloads = [...now].filter(([name]) => kept.has(name)).map(([, copy]) => copy);
  const names = new Set(workloads.map(({ record }) => record.spec.name));
  const claims = (await readClaims(at.runtime)).filter(({ workload }) => names.has(workload));
  await archive.addText(parts.workloads, JSON.stringify({ workloads, claims }));
  tell(String(workloads.length));
}

async function refuseWithoutHaic(at: Installation): Promise<void> {
  if (!(await exists(at.masterKeyFile)))
    throw new CommandError(
      `There is no Haic in ${at.home}, so there is nothing to back up. Set HAIC_HOME if it is elsewhere.`,
    );
}

async function explained<T>(target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const directory = path.dirname(target);
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new CommandError(
        `There is no more room in ${directory} for the backup. Nothing was left there; free some space or choose another place.`,
      );
    if (code === 'ENOENT' && !(await exists(directory)))
      throw new CommandError(`There is no folder ${directory}. Make it first.`);
    throw error;
  }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
