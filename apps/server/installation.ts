import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { deriveKey, masterKeyBytes } from '@haic/kit/keys.ts';

/** Where an installation keeps what it keeps. Everything below `home` is backed up; everything below `cache` can be made again. */
export interface Installation {
  readonly home: string;
  readonly cache: string;
  readonly secrets: string;
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
  /** The platform's own bundled programs. */
  readonly programs: string;
}

/** The installer's own uid when root starts Haic. Workloads have uids from 61000 up, PostgreSQL has 65534. */
export const installerUid = 60_999;
export const firstWorkloadUid = 61_000;

const isRoot = () => process.getuid?.() === 0;

/** Apps run under uids of their own, which could not reach anything in root's home. */
export const defaultHome = () => (isRoot() ? '/var/lib/haic' : path.join(dataHome(), 'haic'));
export const defaultCache = () => (isRoot() ? '/var/cache/haic' : path.join(cacheHome(), 'haic'));
const dataHome = () => process.env.XDG_DATA_HOME ?? path.join(homedir(), '.local', 'share');
const cacheHome = () => process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache');

export function installationAt(home: string, cache: string, environments?: string): Installation {
  const below = (name: string) => path.join(home, name);
  return {
    home,
    cache,
    secrets: below('secrets'),
    postgresData: below('postgres/data'),
    blobs: below('blobs'),
    run: below('run'),
    coreSocket: below('run/core.sock'),
    logs: below('logs'),
    runtime: below('runtime'),
    volumes: below('volumes'),
    environments: environments ?? below('environments'),
    assets: below('assets'),
    installer: below('installer'),
    uploads: below('uploads'),
    programs: below('programs'),
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
  for (const directory of [at.environments, at.installer]) await chown(directory, installerUid, installerUid);
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
    readonly operatorClientSecret?: string | undefined;
  },
  secrets: InstallationSecrets,
): string {
  const chosen: Readonly<Record<string, string | undefined>> = {
    [wellKnownClients.portal]: settings.portalClientSecret,
    [wellKnownClients.router]: settings.routerClientSecret,
    [wellKnownClients.core]: settings.coreClientSecret,
    [wellKnownClients.operator]: settings.operatorClientSecret,
  };
  return chosen[clientId] ?? secrets.clientSecret(clientId);
}

const masterKeyFile = (at: Installation) => path.join(at.secrets, 'master-key');

export async function readSecrets(at: Installation): Promise<InstallationSecrets> {
  const text = (await readFile(masterKeyFile(at), 'utf8')).trim();
  if (!new RegExp(`^[0-9a-f]{${masterKeyBytes * 2}}$`).test(text)) {
    throw new Error(
      `${masterKeyFile(at)} is not a master key (${masterKeyBytes * 2} hexadecimal digits). Restore it from a backup.`,
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
        `${masterKeyFile(at)} is gone, but this installation has data that only it opens. Restore the file from a backup.`,
      );
    }
  }
  const file = await open(masterKeyFile(at), 'wx', 0o600);
  await file.writeFile(`${randomBytes(masterKeyBytes).toString('hex')}\n`);
  await file.sync();
  await file.close();
  return readSecrets(at);
}

/** Where `up` puts the command line: to be called on this machine, and to be downloaded from any other. */
export const cliFileOf = (at: Pick<Installation, 'home'>): string => path.join(at.home, 'bin', 'h2o');
