import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { runTool } from './child-process.ts';
import { type Environment, toolEnvironment } from './environment.ts';
import type { InstanceLog } from './instance-log.ts';
import type { LauncherPaths } from './paths.ts';

export interface OsPackages {
  readonly executables: readonly string[];
  readonly libraries: readonly string[];
}

const none: OsPackages = { executables: [], libraries: [] };
const packageName = /^[a-z0-9][a-z0-9+.-]*(=[A-Za-z0-9.+:~-]+)?$/;

interface Setup {
  readonly paths: LauncherPaths;
  readonly site: Environment;
  readonly log: InstanceLog;
  readonly signal: AbortSignal;
}

/**
 * packages.txt without being root: the packages and what they depend on, as far as the system has it not, are downloaded and
 * unpacked into the instance's own folder. Where that cannot be done the log says so and the app starts without them.
 */
export async function installOsPackages(setup: Setup): Promise<OsPackages> {
  const wanted = await readPackagesFile(setup);
  if (wanted.length === 0) return none;
  setup.log.line('install', `OS packages: ${wanted.join(', ')}`);
  const needed = await resolve(setup, wanted);
  if (needed === undefined) return warn(setup, wanted);
  if (needed.length === 0) {
    setup.log.line('install', 'The system has all of them already.');
    return none;
  }
  const archives = path.join(setup.paths.packages, '.archives');
  await rm(setup.paths.packages, { recursive: true, force: true });
  await mkdir(archives, { recursive: true });
  try {
    if (!(await run(setup, '/usr/bin/apt-get', [...aptOptions, 'download', ...needed], archives)))
      return warn(setup, wanted);
    for (const name of await readdir(archives)) {
      if (!name.endsWith('.deb')) continue;
      if (
        !(await run(
          setup,
          '/usr/bin/dpkg-deb',
          ['-x', path.join(archives, name), setup.paths.packages],
          archives,
        ))
      )
        return warn(setup, wanted);
    }
  } finally {
    await rm(archives, { recursive: true, force: true });
  }
  setup.log.line('install', `Unpacked ${needed.length} OS packages for this instance.`);
  return foldersOf(setup.paths.packages);
}

function warn(setup: Setup, wanted: readonly string[]): OsPackages {
  setup.log.line(
    'install',
    `packages.txt could not be installed here (${wanted.join(', ')}). The app starts without these packages; whoever runs this platform can install them on the machine.`,
  );
  return none;
}

async function readPackagesFile(setup: Setup): Promise<string[]> {
  const text = await readFile(path.join(setup.paths.app, 'packages.txt'), 'utf8').catch(() => '');
  const names: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const name = line.replace(/#.*$/, '').trim();
    if (name === '') continue;
    if (packageName.test(name)) names.push(name);
    else
      setup.log.line(
        'install',
        `packages.txt: ${JSON.stringify(name.slice(0, 100))} is not a package name; ignored.`,
      );
  }
  return names;
}

/** No sandbox user and no triggers: nothing of a package is ever run, and everything happens under the app's own uid. */
const aptOptions = [
  '-q',
  '-o',
  'APT::Sandbox::User=',
  '-o',
  'Debug::NoLocking=1',
  '-o',
  'Dir::Cache::pkgcache=',
  '-o',
  'Dir::Cache::srcpkgcache=',
];

/** What apt would install, dependencies included, minus what the system has. Undefined when apt cannot tell. */
async function resolve(setup: Setup, wanted: readonly string[]): Promise<string[] | undefined> {
  const lines: string[] = [];
  const args = [...aptOptions, '--simulate', '--no-install-recommends', 'install', ...wanted];
  const done = await run(setup, '/usr/bin/apt-get', args, setup.paths.temporary, (line) => lines.push(line));
  if (!done) return undefined;
  return lines.flatMap((line) => {
    const match = /^Inst (\S+) (?:\[[^\]]*\] )?\((\S+)/.exec(line);
    return match === null ? [] : [`${match[1]}=${match[2]}`];
  });
}

async function run(
  setup: Setup,
  command: string,
  args: readonly string[],
  cwd: string,
  collect?: (line: string) => void,
): Promise<boolean> {
  const end = await runTool({
    command,
    args,
    cwd,
    env: { ...toolEnvironment(setup.paths, setup.site), LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    onLine: (line) =>
      collect !== undefined && !/^[EW]:/.test(line) ? collect(line) : setup.log.line('install', line),
    signal: setup.signal,
  });
  if (end.startError !== undefined)
    setup.log.line('install', `${command} is not to be had here (${end.startError}).`);
  return end.code === 0;
}

/** Where programs and libraries of the unpacked packages are; alternatives such as BLAS keep theirs one folder deeper. */
export async function foldersOf(root: string): Promise<OsPackages> {
  const executables = await existing(
    ['usr/local/bin', 'usr/bin', 'bin', 'usr/sbin', 'sbin'].map((name) => path.join(root, name)),
  );
  const machine = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const names = [`usr/lib/${machine}`, `lib/${machine}`, 'usr/lib', 'lib'];
  const libraries = await existing(names.map((name) => path.join(root, name)));
  const deeper: string[] = [];
  for (const folder of libraries) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (!entry.isDirectory() || libraries.includes(path.join(folder, entry.name))) continue;
      const files = await readdir(path.join(folder, entry.name));
      if (files.some((name) => /^lib[^/]+\.so\.\d+/.test(name))) deeper.push(path.join(folder, entry.name));
    }
  }
  return { executables, libraries: [...libraries, ...deeper] };
}

async function existing(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const facts = await stat(folder).catch(() => undefined);
    if (facts?.isDirectory()) found.push(folder);
  }
  return found;
}
