import { link, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Interpreter } from './interpreters.ts';
import { runProcess } from './run-process.ts';
import type { Work } from './shared-work.ts';

/**
 * Apps cannot write bytecode beside the files of a shared environment, so it is made here. Compiling a scientific stack costs ten CPU
 * seconds, so it is done once for each wheel, in uv's cache of unpacked wheels (`archive-v0`, the layout of the pinned uv): every later
 * environment gets it by uv's own hard links. A wheel is compiled apart from all others: in a common environment one could put files in
 * the place of another's and so plant bytecode in it for everyone.
 *
 * Python corrects the path inside a .pyc when it loads it, and checks it against its source's time and size, which hard links share.
 */
export interface BytecodeCache {
  /** Which unpacked wheels are compiled already. To be asked before uv links from them. */
  known(python: Interpreter): Promise<ReadonlySet<string>>;
  /** Compiles the wheels of this new environment that were not known, and links the result into it. */
  complete(venv: string, python: Interpreter, known: ReadonlySet<string>, work: Work): Promise<void>;
}

/**
 * Tests of packages are never imported by apps and are a third of all code. What a wheel has in its `.data` folder goes to other places,
 * and uv refuses to install a wheel with a file there that its RECORD does not name.
 */
const script = `
import compileall, functools, os, sys
from concurrent.futures import ProcessPoolExecutor
if __name__ == "__main__":
    files = []
    for root in sys.argv[1:]:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if name != "tests" and not (folder == root and name.endswith(".data"))]
            files += [os.path.join(folder, name) for name in names if name.endswith(".py")]
    compile_file = functools.partial(compileall.compile_file, quiet=2)
    with ProcessPoolExecutor(2) as pool:
        for _ in pool.map(compile_file, files, chunksize=32): pass
`;

export function createBytecodeCache(folders: { cache: string; marks: string }): BytecodeCache {
  const archives = path.join(folders.cache, 'archive-v0');
  const suffix = (python: Interpreter) => `.${python.fullVersion}`;

  return {
    known: async (python) => {
      const names = await readdir(folders.marks);
      const ending = suffix(python);
      return new Set(
        names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length)),
      );
    },

    complete: async (venv, python, known, work) => {
      const packages = path.join(venv, 'lib', `python${python.version}`, 'site-packages');
      const fresh = (await archivesOf(packages, archives)).filter((id) => !known.has(id));
      if (fresh.length === 0) return;
      work.log('Compiling…');
      const { code } = await runProcess({
        command: python.path,
        // Nothing but the standard library: no site, no environment, no code of the packages.
        args: ['-I', '-S', '-c', script, ...fresh.map((id) => path.join(archives, id))],
        env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
        cwd: '/',
        deadlineMs: 10 * 60_000,
        signal: work.signal,
      });
      for (const id of fresh) await linkBytecode(path.join(archives, id), packages);
      if (code !== 0) return;
      for (const id of fresh) await writeFile(path.join(folders.marks, `${id}${suffix(python)}`), '');
    },
  };
}

/** The unpacked wheels that this environment's packages are linked from. */
async function archivesOf(packages: string, archives: string): Promise<string[]> {
  const installed = new Map<string, number>();
  for (const name of await readdir(packages))
    if (name.endsWith('.dist-info'))
      installed.set(name, await inodeOf(path.join(packages, name, 'METADATA')));
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

async function linkBytecode(archive: string, packages: string): Promise<void> {
  const entries = await readdir(archive, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || !entry.name.endsWith('.pyc') || path.basename(entry.parentPath) !== '__pycache__')
      continue;
    const made = path.join(entry.parentPath, entry.name);
    const source = path.join(path.dirname(entry.parentPath), `${entry.name.split('.')[0]}.py`);
    const place = path.join(packages, path.relative(archive, made));
    const [here, there] = await Promise.all([
      inodeOf(source),
      inodeOf(path.join(packages, path.relative(archive, source))),
    ]);
    if (here === 0 || here !== there) continue;
    await mkdir(path.dirname(place), { recursive: true });
    await link(made, place).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

const inodeOf = (file: string): Promise<number> =>
  stat(file).then(
    (found) => found.ino,
    () => 0,
  );
