import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, renameSync, statSync, utimesSync } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runProcess } from './run-process.ts';

/**
 * The folder of the installer. `envs` can be entered but not listed by apps: who knows an environment's hash may use it. All else is the
 * installer's alone. What is made is made in `tmp` and appears by one rename.
 */
export type EnvironmentStore = Awaited<ReturnType<typeof openStore>>;

export async function openStore(root: string) {
  const folders = {
    envs: path.join(root, 'envs'),
    locks: path.join(root, 'locks'),
    wheels: path.join(root, 'wheels'),
    cache: path.join(root, 'uv'),
    bytecode: path.join(root, 'bytecode'),
    pending: path.join(root, 'pending'),
    tmp: path.join(root, 'tmp'),
  };
  await mkdir(root, { recursive: true, mode: 0o755 });
  for (const folder of Object.values(folders)) {
    await mkdir(folder, { recursive: true });
    await chmod(folder, folder === folders.envs ? 0o711 : 0o700);
  }
  // What a crash left behind. Nothing in here was ever seen by anyone.
  for (const name of await readdir(folders.tmp))
    await rm(path.join(folders.tmp, name), { recursive: true, force: true });

  const placeOf = (hash: string) => path.join(folders.envs, hash);
  const lockPlace = (key: string) => path.join(folders.locks, `${key}.lock`);

  const newTempFolder = async () => {
    const folder = path.join(folders.tmp, randomUUID());
    await mkdir(folder, { mode: 0o700 });
    return folder;
  };

  const writeWhole = async (file: string, content: string) => {
    const temp = path.join(folders.tmp, randomUUID());
    try {
      await writeFile(temp, content, { mode: 0o600, flush: true });
      await rename(temp, file);
    } finally {
      await rm(temp, { force: true });
    }
  };

  return {
    root,
    folders,
    newTempPath: () => path.join(folders.tmp, randomUUID()),

    newTempFolder,

    /** Runs `work` in a folder that is gone afterwards, unless it was published. */
    inTempFolder: async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
      const folder = await newTempFolder();
      try {
        return await work(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },

    /** The environment if it is there, marked as used now. Synchronous, so that the sweep cannot come in between. */
    find: (hash: string): { path: string; lockFile: string } | undefined => {
      const lockFile = path.join(placeOf(hash), 'requirements.lock');
      if (!touch(lockFile)) return undefined;
      return { path: path.join(placeOf(hash), 'venv'), lockFile };
    },

    /** Where the environment is, without marking it as used. */
    venvOf: (hash: string): string | undefined =>
      existsSync(path.join(placeOf(hash), 'requirements.lock'))
        ? path.join(placeOf(hash), 'venv')
        : undefined,

    flush,

    /** Makes a finished folder visible under its hash, on disk before it can be seen. */
    publish: async (folder: string, hash: string, signal: AbortSignal) => {
      await closeToOthers(folder, signal);
      await flush(folder, signal);
      await rename(folder, placeOf(hash)).catch((error: NodeJS.ErrnoException) => {
        // The same lock makes the same environment: the one that is there is as good.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
      await syncFolder(folders.envs);
    },

    rememberedLock: async (key: string): Promise<string | undefined> =>
      touch(lockPlace(key)) ? await readFile(lockPlace(key), 'utf8') : undefined,

    rememberLock: (key: string, lock: string) => writeWhole(lockPlace(key), lock),

    /** Writes a small file that is there whole, even after a crash, or not at all. */
    writeWhole,

    forgetLock: (key: string) => rm(lockPlace(key), { force: true }),

    freeBytes: async () => {
      const { bavail, bsize } = await statfs(root);
      return bavail * bsize;
    },

    /** Removes what nobody has used since `before`. Returns how many environments went. */
    sweep: async (before: Date): Promise<number> => {
      let environments = 0;
      const removable: [string, (entry: string) => string][] = [
        [folders.envs, (entry) => path.join(entry, 'requirements.lock')],
        [folders.locks, (entry) => entry],
        [folders.wheels, (entry) => entry],
        [folders.bytecode, (entry) => entry],
      ];
      for (const [folder, stampOf] of removable) {
        for (const name of readdirSync(folder)) {
          const entry = path.join(folder, name);
          if (!olderThan(stampOf(entry), before)) continue;
          const grave = path.join(folders.tmp, randomUUID());
          renameSync(entry, grave);
          if (folder === folders.envs) environments += 1;
          await rm(grave, { recursive: true, force: true });
        }
      }
      return environments;
    },
  };
}

function touch(file: string): boolean {
  try {
    const now = new Date();
    utimesSync(file, now, now);
    return true;
  } catch {
    return false;
  }
}

/** An entry without its stamp is no environment at all and counts as old. */
const olderThan = (file: string, before: Date): boolean => !existsSync(file) || statSync(file).mtime < before;

/**
 * Readable for every app, writable for none. uv hard-links files from its cache, so what could be written here would change every
 * environment; wheels also bring modes of their own, and uv leaves a lock file that everyone may write.
 */
async function closeToOthers(folder: string, signal: AbortSignal): Promise<void> {
  await rm(path.join(folder, 'venv', '.lock'), { force: true });
  await rm(path.join(folder, 'venv', '.gitignore'), { force: true });
  await coreutil('chmod', ['-R', 'a+rX,u+w,go-w,a-st', folder], signal);
}

/** All files of the folder's file system are on disk when this returns: one call where thousands of fsyncs would be needed. */
const flush = (folder: string, signal: AbortSignal): Promise<void> =>
  coreutil('sync', ['-f', folder], signal);

async function coreutil(name: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const { code, lines } = await runProcess({
    command: name,
    args,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    cwd: '/',
    deadlineMs: 5 * 60_000,
    signal,
  });
  if (code !== 0) throw new Error(`${name} failed: ${lines.slice(-3).join(' ')}`);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
