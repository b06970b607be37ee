import { chmod, link, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Interpreter } from './interpreters.ts';
import { runProcess } from './run-process.ts';
import type { EnvironmentStore } from './store.ts';

/**
 * Apps cannot write bytecode beside the files of a shared environment, so it is made here. Compiling a scientific stack costs ten CPU
 * seconds, so it is done once for each wheel, in uv's cache of unpacked wheels (`archive-v0`, the layout of the pinned uv): every later
 * environment gets it by uv's own hard links. A wheel is compiled apart from all others: in a common environment one could put files in
 * the place of another's and so plant bytecode in it for everyone.
 *
 * Environments are in use and uv may be linking from its cache meanwhile, so bytecode is made aside and linked into both only when all of
 * it is on disk: half of a .pyc would make an import fail.
 *
 * Python corrects the path inside a .pyc when it loads it, and checks it against its source's time and size, which hard links share.
 */
export interface BytecodeCache {
  /** Which unpacked wheels are compiled already. */
  compiled(python: Interpreter): Promise<ReadonlySet<string>>;
  /**
   * Gives a published environment the bytecode of its wheels, and compiles those that nobody has yet. `linked` are the wheels that were
   * compiled before uv linked them. Waits for `giveWay` before each wheel. `failed` counts the wheels that could not be compiled.
   */
  complete(
    venv: string,
    python: Interpreter,
    options: { linked: ReadonlySet<string>; giveWay: () => Promise<void>; signal: AbortSignal },
  ): Promise<{ compiled: number; failed: number }>;
}

/**
 * Tests of packages are never imported by apps and are a third of all code. What a wheel has in its `.data` folder goes to other places,
 * and uv refuses to install a wheel with a file there that its RECORD does not name. A source that Python cannot compile is left out;
 * what cannot be read or written ends the script.
 */
const script = `
import os, py_compile, sys
wheel, target = sys.argv[1:]
try: os.nice(19)
except OSError: pass
os.umask(0o022)
ending = "." + sys.implementation.cache_tag + ".pyc"
for folder, folders, names in os.walk(wheel):
    folders[:] = [name for name in folders if name != "tests" and not (folder == wheel and name.endswith(".data"))]
    made = os.path.normpath(os.path.join(target, os.path.relpath(folder, wheel), "__pycache__"))
    for name in names:
        if not name.endswith(".py"): continue
        os.makedirs(made, exist_ok=True)
        file = os.path.join(made, name[:-3] + ending)
        if py_compile.compile(os.path.join(folder, name), file, quiet=2): os.chmod(file, 0o644)
`;

export function createBytecodeCache(store: EnvironmentStore): BytecodeCache {
  const { folders } = store;
  const archives = path.join(folders.cache, 'archive-v0');
  const archiveOf = (id: string) => path.join(archives, id);
  const suffix = (python: Interpreter) => `.${python.fullVersion}`;

  const compiled = async (python: Interpreter): Promise<ReadonlySet<string>> => {
    const ending = suffix(python);
    const marks = (await readdir(folders.bytecode)).filter((name) => name.endsWith(ending));
    return new Set(marks.map((name) => name.slice(0, -ending.length)));
  };

  return {
    compiled,

    complete: async (venv, python, { linked, giveWay, signal }) => {
      const packages = path.join(venv, 'lib', `python${python.version}`, 'site-packages');
      const wheels = (await archivesOf(packages, archives)).filter((id) => !linked.has(id));
      if (wheels.length === 0) return { compiled: 0, failed: 0 };
      const known = await compiled(python);
      const fresh = wheels.filter((id) => !known.has(id));
      const made: string[] = [];
      await store.inTempFolder(async (aside) => {
        for (const id of fresh) {
          await giveWay();
          if (await compile(archiveOf(id), path.join(aside, id), python, signal)) made.push(id);
        }
        await store.flush(aside, signal);
        for (const id of made) await linkBytecode(path.join(aside, id), archiveOf(id), archiveOf(id));
      });
      for (const id of wheels)
        if (known.has(id) || made.includes(id)) await linkBytecode(archiveOf(id), archiveOf(id), packages);
      // A mark that outlives a crash and the links that do not would leave the wheel without bytecode.
      await store.flush(packages, signal);
      for (const id of made) await writeFile(path.join(folders.bytecode, `${id}${suffix(python)}`), '');
      return { compiled: made.length, failed: fresh.length - made.length };
    },
  };
}

async function compile(wheel: string, target: string, python: Interpreter, signal: AbortSignal) {
  await mkdir(target);
  const { code } = await runProcess({
    command: python.path,
    // Nothing but the standard library: no site, no environment, no code of the packages.
    args: ['-I', '-S', '-c', script, wheel, target],
    env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
    cwd: '/',
    deadlineMs: 10 * 60_000,
    signal,
  });
  return code === 0;
}

/** The unpacked wheels that this environment's packages are linked from. */
async function archivesOf(packages: string, archives: string): Promise<string[]> {
  const installed = new Map<string, number>();
  for (const name of await readdir(packages))
    if (name.endsWith('.dist-info'))
      installed.set(name, await inodeOf(path.join(packages, name, 'METADATA')));
  if (installed.size === 0) return [];
  const found: string[] = [];
  for (const id of await readdir(archives).catch(() => [])) {
    for (const name of await readdir(path.join(archives, id)).catch(() => [])) {
      const inode = installed.get(name);
      if (inode === undefined || inode === 0) continue;
      if ((await inodeOf(path.join(archives, id, name, 'METADATA'))) === inode) found.push(id);
    }
  }
  return found;
}

/** Links the bytecode of a wheel from one tree into another, where that one has the very sources of the wheel. */
async function linkBytecode(from: string, wheel: string, to: string): Promise<void> {
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || !entry.name.endsWith('.pyc') || path.basename(entry.parentPath) !== '__pycache__')
      continue;
    const folder = path.relative(from, path.dirname(entry.parentPath));
    const source = path.join(folder, entry.name.replace(/\.[^.]+\.pyc$/, '.py'));
    const [here, there] = await Promise.all([
      inodeOf(path.join(wheel, source)),
      inodeOf(path.join(to, source)),
    ]);
    if (here === 0 || here !== there) continue;
    const place = path.join(to, folder, '__pycache__');
    await makeFolder(place);
    await link(path.join(entry.parentPath, entry.name), path.join(place, entry.name)).catch(unlessThere);
  }
}

/** For everyone to read, whatever the umask is. Its parent is not made: of an environment that was removed meanwhile nothing comes back. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
    await chmod(folder, 0o755);
  } catch (error) {
    unlessThere(error as NodeJS.ErrnoException);
  }
}

/** What a wheel brings itself under that name stays, be it a file in the place of the folder. */
function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST' && error.code !== 'ENOTDIR') throw error;
}

const inodeOf = (file: string): Promise<number> =>
  stat(file).then(
    (found) => found.ino,
    () => 0,
  );
