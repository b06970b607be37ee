import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, open, readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { deriveKey, masterKeyBytes } from '@haic/kit/keys.ts';

const run = promisify(execFile);

/** Where an installation keeps what it keeps. Everything below `home` is backed up; everything below `cache` can be made again. */
export interface Installation {
  readonly home: string;
  readonly cache: string;
  readonly secrets: string;
  readonly masterKeyFile: string;
  readonly postgresData: string;
  readonly blobs: string;
  readonly run: string;
  readonly coreSocket: string;
  readonly logs: string;
  /** The local runtime's state. */
  readonly runtime: string;
  readonly volumes: string;
  /** Python environments and uv's cache, written by the installer alone. */
  readonly environments: string;
  /** Bundled programs that run inside sandboxes. */
  readonly assets: string;
  /** Holds nothing but the installer's socket; mounted into every app's sandbox. */
  readonly installer: string;
  readonly uploads: string;
  /** How far the audit trail has come, beside the database that holds it. */
  readonly auditWitness: string;
  /** The platform's own bundled programs. */
  readonly programs: string;
  /** The command line: to be called on this machine, and to be downloaded from any other. */
  readonly cliFile: string;
}

/** The installer's own uid when root starts Haic. Workloads have uids from 61000 up, PostgreSQL has 65534. */
export const installerUid = 60_999;
export const firstWorkloadUid = 61_000;

const isRoot = () => process.getuid?.() === 0;

/** Apps run under uids of their own, which could not reach anything in root's home. */
export const defaultHome = () => (isRoot() ? '/var/lib/haic' : path.join(dataHome(), 'haic'));
const dataHome = () => process.env.XDG_DATA_HOME ?? path.join(homedir(), '.local', 'share');

export function installationAt(
  home: string,
  cache: string,
  elsewhere: Partial<Record<'environments' | 'masterKeyFile' | 'cliFile', string | undefined>> = {},
): Installation {
  const below = (name: string) => path.join(home, name);
  return {
    home,
    cache,
    secrets: below('secrets'),
    masterKeyFile: elsewhere.masterKeyFile ?? below('secrets/master-key'),
    postgresData: below('postgres/data'),
    blobs: below('blobs'),
    run: below('run'),
    coreSocket: below('run/core.sock'),
    logs: below('logs'),
    runtime: below('runtime'),
    volumes: below('volumes'),
    environments: elsewhere.environments ?? below('environments'),
    assets: below('assets'),
    installer: below('installer'),
    uploads: below('uploads'),
    auditWitness: below('audit/witness.json'),
    programs: below('programs'),
    cliFile: elsewhere.cliFile ?? below('bin/h2o'),
  };
}

/** Makes the folders with the modes that keep apps out. Safe to repeat; modes that were loosened are put right. */
export async function prepareHome(at: Installation): Promise<void> {
  await ensureDirectory(at.cache, 0o755);
  await ensureDirectory(at.home, 0o711);
  await ensureDirectory(path.dirname(at.postgresData), 0o711);
  for (const directory of [at.secrets, at.blobs, at.run, at.logs, at.uploads, at.programs])
    await ensureDirectory(directory, 0o700);
  for (const directory of [at.runtime, at.volumes]) await ensureDirectory(directory, 0o711);
  for (const directory of [at.environments, at.assets, at.installer]) await ensureDirectory(directory, 0o755);
  if (!isRoot()) return;
  for (const directory of [at.environments, at.installer]) await giveTo(directory, installerUid);
}

/**
 * With all that is in it, where somebody else has any of it: an installer that ran before bubblewrap was installed was root, and what is root's it
 * could neither change nor clear away now.
 */
async function giveTo(directory: string, uid: number): Promise<void> {
  const children = (await readdir(directory)).map((name) => path.join(directory, name));
  // What has just gone away is nobody's.
  const facts = await Promise.all([directory, ...children].map((file) => lstat(file).catch(() => undefined)));
  if (facts.every((fact) => fact === undefined || fact.uid === uid)) return;
  await run('chown', ['-R', '-h', '-P', `${uid}:${uid}`, '--', directory], {
    env: { PATH: '/usr/bin:/bin' },
  });
}

/** What core writes into, where no `up` has made it: a volume that is mounted somewhere below, whose own mode is not ours to change. */
export async function prepareCoreFolders(at: Installation): Promise<void> {
  for (const directory of [at.blobs, at.run, at.uploads])
    await mkdir(directory, { recursive: true, mode: 0o700 });
}

async function ensureDirectory(directory: string, mode: number): Promise<void> {
  await mkdir(directory, { recursive: true });
  await chmod(directory, mode);
}

/** Everything secret follows from one key, so that one file is all that a backup has to guard. */
export interface InstallationSecrets {
  readonly masterKey: Buffer;
  readonly postgresPassword: string;
  readonly portalClientSecret: string;
  clientSecret(clientId: string): string;
}

export function secretsOf(masterKey: Buffer): InstallationSecrets {
  const clientSecret = (clientId: string) => deriveKey(masterKey, `client:${clientId}`).toString('hex');
  return {
    masterKey,
    postgresPassword: deriveKey(masterKey, 'postgres').toString('hex'),
    portalClientSecret: clientSecret('haic-portal'),
    clientSecret,
  };
}

/** The secrets of Haic's clients at the issuer: settings where the organisation chose them, else of the master key like all others. */
export function clientSecretOf(
  clientId: string,
  settings: {
    readonly portalClientSecret?: string | undefined;
    readonly routerClientSecret?: string | undefined;
    readonly coreClientSecret?: string | undefined;
    readonly driveClientSecret?: string | undefined;
    readonly operatorClientSecret?: string | undefined;
  },
  secrets: InstallationSecrets,
): string {
  const chosen: Readonly<Record<string, string | undefined>> = {
    [wellKnownClients.portal]: settings.portalClientSecret,
    [wellKnownClients.router]: settings.routerClientSecret,
    [wellKnownClients.core]: settings.coreClientSecret,
    [wellKnownClients.drive]: settings.driveClientSecret,
    [wellKnownClients.operator]: settings.operatorClientSecret,
  };
  return chosen[clientId] ?? secrets.clientSecret(clientId);
}

export async function readSecrets(at: Pick<Installation, 'masterKeyFile'>): Promise<InstallationSecrets> {
  const text = (await readFile(at.masterKeyFile, 'utf8')).trim();
  if (!new RegExp(`^[0-9a-f]{${masterKeyBytes * 2}}$`).test(text)) {
    throw new Error(
      `${at.masterKeyFile} is not a master key (${masterKeyBytes * 2} hexadecimal digits). Restore it from a backup.`,
    );
  }
  return secretsOf(Buffer.from(text, 'hex'));
}

/** Reads the master key, or makes one when the installation is new. One that is lost is never replaced silently. */
export async function ensureSecrets(
  at: Installation,
  isNew: () => Promise<boolean>,
): Promise<InstallationSecrets> {
  try {
    return await readSecrets(at);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    if (!(await isNew())) {
      throw new Error(
        `${at.masterKeyFile} is gone, but this installation has data that only it opens. Restore the file from a backup.`,
      );
    }
  }
  const file = await open(at.masterKeyFile, 'wx', 0o600);
  await file.writeFile(`${randomBytes(masterKeyBytes).toString('hex')}\n`);
  await file.sync();
  await file.close();
  return readSecrets(at);
}

/** Keys of the secure store that a rotation made; without one they follow from the master key. */
export const secureStoreKeyFile = (at: Pick<Installation, 'secrets'>): string =>
  path.join(at.secrets, 'secure-store-keys');
