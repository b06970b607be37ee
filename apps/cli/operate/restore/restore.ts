import { randomUUID } from 'node:crypto';
import { access, mkdir, statfs } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { deadline } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { describeBlobStore } from '@haic/platform/blob/setting.ts';
import { load, whyNotLoadable } from '@haic/platform/database/dump.ts';
import { runsEmbeddedPostgres, startEmbeddedPostgres } from '@haic/platform/database/embedded/server.ts';
import { anyWorkloadRuns } from '@haic/platform/runtime/local/copies.ts';
import { inBytes } from '@haic/platform/runtime/termination.ts';
import { type Installation, prepareHome, readSecrets } from '@haic/server/installation.ts';
import { allMigrations } from '@haic/server/migrations.ts';
import { installationOf, type ServerSettings } from '@haic/server/settings.ts';
import { oneAtATime } from '../../installation/one-at-a-time.ts';
import { liveProcess, roles } from '../../installation/processes.ts';
import { CommandError, print, say, step } from '../../terminal.ts';
import { cancellable } from '../backup/cancel.ts';
import { WrongPassphrase } from '../backup/encryption.ts';
import { knownPassphrase, type PassphraseFlags } from '../backup/passphrase.ts';
import { isEncrypted, Unreadable } from '../backup/read-archive.ts';
import { Damaged } from '../backup/tar.ts';
import { type PlaceOfBlobs, placeOfBlobs } from './blobs.ts';
import { afterLoading, markRestore, moveSchemasAside, schemasThere } from './database.ts';
import {
  holdsInstallation,
  type Journal,
  refuseMounts,
  settleRestore,
  stagingOf,
  writeJournal,
} from './journal.ts';
import { type Archive, type Contents, inspect, placeKeys, unpackInto } from './stage.ts';

export interface RestoreFlags extends PassphraseFlags {
  readonly replace?: boolean;
}

/** Puts back what `backup` took, all of it or nothing (docs/adr/0006). The next `up` starts it, at whatever address. */
export async function restore(settings: ServerSettings, file: string, flags: RestoreFlags): Promise<void> {
  const at = installationOf(settings);
  const source = path.resolve(file);
  await access(source).catch(() => {
    throw new CommandError(`There is no file ${source}.`);
  });
  const passphrase = (await isEncrypted(source)) ? await knownPassphrase(flags) : undefined;
  const done = await cancellable((signal) =>
    oneAtATime(at, async () => {
      await refuseWhileRunning(at);
      await settleRestore(at, settings);
      await refuseMounts(at);
      const replacing = await mayReplace(at, settings, flags.replace === true);
      const archive: Archive = { file: source, passphrase, signal };
      const contents = await explained(at, source, () =>
        step('Checking the file', (tell) => inspect(archive, (bytes) => tell(inBytes(bytes)))),
      );
      await refuseUnsuitable(at, settings, contents);
      const blobs = await placeOfBlobs(settings, stagingOf(at), contents, signal);
      const journal = newJournal(settings);
      const plan = { journal, blobs, ...replacing };
      await explained(at, source, () => makeReady(at, settings, archive, contents, plan));
      await step('Moving it into place', () => complete(at, settings));
      return { contents, aside: replacing.occupied ? journal.aside : undefined };
    }),
  );
  tellWhatIsThere(at, settings, done.contents, done.aside);
}

interface Plan {
  readonly journal: Journal;
  readonly blobs: PlaceOfBlobs;
  /** Schemas in a PostgreSQL of one's own that have to make room. */
  readonly schemas: readonly string[];
}

/** Everything beside what is there, and the decision at last. What fails before the decision leaves nothing. */
async function makeReady(
  at: Installation,
  settings: ServerSettings,
  archive: Archive,
  contents: Contents,
  plan: Plan,
): Promise<void> {
  const staging = stagingOf(at);
  try {
    await mkdir(staging.home, { mode: 0o711 });
    await prepareHome(staging);
    await placeKeys(staging, contents);
    if (settings.databaseUrl === undefined) await intoEmbedded(at, archive, contents, plan);
    else await intoExternal(at, settings.databaseUrl, archive, contents, plan);
  } catch (error) {
    // Unless it was decided: a connection can break just when its transaction had been committed.
    const settled = await settleRestore(at, settings).catch((left: unknown) => {
      say(messageOf(error));
      throw left;
    });
    if (settled === 'completed') return;
    throw error;
  }
}

async function complete(at: Installation, settings: ServerSettings): Promise<void> {
  try {
    await settleRestore(at, settings);
  } catch (error) {
    throw new CommandError(
      `Everything is ready, but could not be moved into place: ${messageOf(error)}. Mend that; ./haic up then completes the restore.`,
    );
  }
}

async function intoEmbedded(at: Installation, archive: Archive, contents: Contents, plan: Plan) {
  const staging = stagingOf(at);
  const server = await step('Starting PostgreSQL', async () =>
    startEmbeddedPostgres({
      cacheDirectory: at.cache,
      dataDirectory: staging.postgresData,
      logFile: path.join(staging.logs, 'postgres.log'),
      password: (await readSecrets(staging)).postgresPassword,
      preferredPort: 0,
      signal: deadline(180_000, archive.signal),
    }),
  );
  try {
    await unpack(staging, server.url, archive, contents, plan.blobs, {});
  } finally {
    await server.stop();
  }
  await writeJournal(at, plan.journal);
}

const intoExternal = (
  at: Installation,
  url: string,
  archive: Archive,
  contents: Contents,
  { journal, schemas, blobs }: Plan,
): Promise<void> =>
  unpack(stagingOf(at), url, archive, contents, blobs, {
    before: (sql) => moveSchemasAside(sql, schemas, journal.aside.replaceAll('-', '_')),
    // The files wait for the transaction: it holds the mark that decides.
    last: async (sql) => {
      await markRestore(sql, journal.id);
      await writeJournal(at, journal);
    },
  });

type Sql = Parameters<typeof afterLoading>[0];

async function unpack(
  staging: Installation,
  url: string,
  archive: Archive,
  { schemas }: Contents,
  blobs: PlaceOfBlobs,
  more: { before?: (sql: Sql) => Promise<void>; last?: (sql: Sql) => Promise<void> },
): Promise<void> {
  await load(url, schemas, allMigrations, {
    ...(more.before === undefined ? {} : { before: more.before }),
    rows: (loading) =>
      step('Unpacking', async (tell) =>
        unpackInto(staging, archive, loading, await blobs.open(), (bytes) => tell(inBytes(bytes))),
      ),
    after: async (sql) => {
      await afterLoading(sql);
      archive.signal.throwIfAborted();
      await more.last?.(sql);
    },
  });
}

/** Its time stands in the name, for people; what decides is its id. */
const newJournal = (settings: ServerSettings): Journal => ({
  id: randomUUID(),
  aside: `before-restore-${new Date().toISOString().replace(/[^\d]/g, '').slice(0, 14)}`,
  databaseDecides: settings.databaseUrl !== undefined,
});

async function refuseWhileRunning(at: Installation): Promise<void> {
  const refuse = () => new CommandError(`Haic runs in ${at.home}. Stop it first: ./haic down`);
  for (const name of ['supervisor', ...roles] as const)
    if ((await liveProcess(at.run, name)) !== undefined) throw refuse();
  if ((await runsEmbeddedPostgres(at.postgresData)) || (await anyWorkloadRuns(at.runtime))) throw refuse();
}

async function mayReplace(
  at: Installation,
  settings: ServerSettings,
  replace: boolean,
): Promise<{ occupied: boolean; schemas: readonly string[] }> {
  const occupied = await holdsInstallation(at);
  const schemas = settings.databaseUrl === undefined ? [] : await schemasThere(settings.databaseUrl);
  if (replace || (!occupied && schemas.length === 0)) return { occupied, schemas };
  const where = occupied ? at.home : 'the database of HAIC_DATABASE_URL';
  throw new CommandError(
    `There is a Haic in ${where} already. To put the backup in its place: --replace (the old one is moved aside and kept). For another place, set HAIC_HOME.`,
  );
}

async function refuseUnsuitable(
  at: Installation,
  settings: ServerSettings,
  { schemas, size: all, blobSize = 0 }: Contents,
): Promise<void> {
  const reason = await whyNotLoadable(schemas, allMigrations);
  if (reason !== undefined) throw new CommandError(`This backup cannot be restored by this Haic. ${reason}`);
  const size = settings.blobStore === undefined ? all : all - blobSize;
  const { bavail, bsize } = await statfs(at.home);
  const free = Number(bavail) * Number(bsize);
  if (free < size)
    throw new CommandError(
      `The backup unpacks to ${inBytes(size)}, and ${at.home} has room for ${inBytes(free)}. Free some space, or set HAIC_HOME to a larger disk.`,
    );
}

async function explained<T>(at: Installation, file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const untouched = 'Nothing was changed.';
    if (error instanceof Damaged)
      throw new CommandError(`${file} is damaged: ${error.message}. ${untouched} Use another copy of it.`);
    if (error instanceof WrongPassphrase)
      throw new CommandError(`The passphrase does not open ${file}. ${untouched} Try again.`);
    if (error instanceof Unreadable)
      throw new CommandError(`${file} cannot be restored. ${error.message} ${untouched}`);
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'insufficient_storage' || code === '53100')
      throw new CommandError(
        `There is no more room in ${at.home}. ${untouched} Free some space and try again.`,
      );
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${messageOf(error)} ${untouched}`);
  }
}

function tellWhatIsThere(
  at: Installation,
  settings: ServerSettings,
  { header, instances }: Contents,
  aside: string | undefined,
): void {
  print(`Restored the Haic of ${header.createdAt.slice(0, 16).replace('T', ' ')} UTC into ${at.home}.`);
  say(
    'People sign in anew, with the passwords and tokens of that day; what was revoked since is to be revoked again.',
  );
  if (instances > 0)
    say(
      `${instances} instance${instances === 1 ? '' : 's'}: those that ran start with the next up, the others stay paused.`,
    );
  if (header.blobsElsewhere !== undefined)
    say(
      `Bundles and objects were in ${header.blobsElsewhere} and are not in this backup. They are looked for in ${settings.blobStore === undefined ? at.blobs : describeBlobStore(settings.blobStore)}, as HAIC_BLOB_STORE says here.`,
    );
  if (header.publicUrl !== settings.publicUrl)
    say(`It was at ${header.publicUrl} and will be at ${settings.publicUrl}; instances move with it.`);
  const missing = Object.entries(header.settings).filter(([name, value]) => process.env[name] !== value);
  if (missing.length > 0)
    say(
      `It was run with settings that this shell does not have:\n${missing.map(([n, v]) => `  ${n}=${v}`).join('\n')}`,
    );
  if (aside !== undefined)
    say(`What was there before is in ${path.join(at.home, aside)}; remove it when it is no longer wanted.`);
  say('Next: ./haic up');
}
