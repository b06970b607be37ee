import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ProcessResult, runProcess } from './run-process.ts';
import type { Work } from './shared-work.ts';

export interface UvSettings {
  /** The program. */
  readonly uv: string;
  readonly cacheFolder: string;
  /** A folder of our own for HOME and temporary files. */
  readonly tempFolder: string;
  readonly index?: string | undefined;
  readonly httpProxy?: string | undefined;
  /** PEM, in addition to the system's certificates. */
  readonly caFile?: string | undefined;
}

const minutes = 60_000;
const systemCertificates = '/etc/ssl/certs/ca-certificates.crt';

/**
 * uv, told everything and inheriting nothing: no configuration files, no environment of ours. Wheels only, so no code of a package runs
 * here; an environment gets exactly one `pip install` while it is still empty, because uv asks the environment's own Python about itself.
 */
export function createUvTool(settings: UvSettings) {
  const env = environmentFor(settings);
  const run = (
    args: readonly string[],
    cwd: string,
    deadlineMs: number,
    work: Work,
  ): Promise<ProcessResult> =>
    runProcess({ command: settings.uv, args, env, cwd, deadlineMs, signal: work.signal, onLine: work.log });

  return {
    compile: (
      folder: string,
      options: {
        python: string;
        excludeNewer?: string | undefined;
        preReleases: boolean;
        noDeps: boolean;
        constraints: boolean;
      },
      work: Work,
    ): Promise<ProcessResult> =>
      run(
        [
          'pip',
          'compile',
          ...['requirements.in', '--output-file', 'requirements.lock', '--python', options.python],
          ...['--generate-hashes', '--no-build', '--no-header', '--no-annotate'],
          ...(options.constraints ? ['--constraints', 'constraints.in'] : []),
          ...(options.excludeNewer === undefined ? [] : ['--exclude-newer', options.excludeNewer]),
          ...(options.preReleases ? ['--prerelease', 'allow'] : []),
          ...(options.noDeps ? ['--no-deps'] : []),
        ],
        folder,
        5 * minutes,
        // On success uv prints the lock on stdout as well.
        {
          ...work,
          log: (line) =>
            /^(Resolved|warning:(?!.*does not contain any dependencies))/.test(line)
              ? work.log(line)
              : undefined,
        },
      ),

    createVenv: (folder: string, python: string, work: Work): Promise<ProcessResult> =>
      run(['venv', '--relocatable', '--no-project', '--python', python, 'venv'], folder, 2 * minutes, {
        ...work,
        log: () => undefined,
      }),

    install: (folder: string, work: Work): Promise<ProcessResult> =>
      run(
        [
          ...['pip', 'install', '--python', 'venv/bin/python', '--require-hashes', '--no-deps', '--no-build'],
          ...['--link-mode', 'hardlink', '--requirements', 'requirements.lock'],
        ],
        folder,
        30 * minutes,
        { ...work, log: (line) => (isProgress(line) ? work.log(line) : undefined) },
      ),

    emptyCache: (work: Work): Promise<ProcessResult> =>
      run(['cache', 'clean'], settings.tempFolder, 5 * minutes, work),
  };
}

export type UvTool = ReturnType<typeof createUvTool>;

const isProgress = (line: string): boolean =>
  /^\s*(Downloading|Downloaded|Prepared|Installed|warning:)/.test(line) && !/^\s*\+/.test(line);

function environmentFor(settings: UvSettings): Record<string, string> {
  const { httpProxy: proxy, index, caFile } = settings;
  return {
    PATH: '/usr/bin:/bin',
    HOME: settings.tempFolder,
    TMPDIR: settings.tempFolder,
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    UV_CACHE_DIR: settings.cacheFolder,
    UV_NO_CONFIG: '1',
    UV_NO_PROGRESS: '1',
    UV_PYTHON_DOWNLOADS: 'never',
    UV_NO_ENV_FILE: '1',
    UV_KEYRING_PROVIDER: 'disabled',
    UV_HTTP_TIMEOUT: '60',
    UV_SYSTEM_CERTS: '1',
    // By the environment, so that credentials in it are not in the process list.
    ...(index === undefined ? {} : { UV_DEFAULT_INDEX: index }),
    ...(proxy === undefined
      ? {}
      : {
          HTTP_PROXY: proxy,
          HTTPS_PROXY: proxy,
          http_proxy: proxy,
          https_proxy: proxy,
          NO_PROXY: 'localhost,127.0.0.1,::1',
        }),
    ...(caFile === undefined ? {} : { SSL_CERT_FILE: joinCertificates(caFile, settings.tempFolder) }),
  };
}

/** SSL_CERT_FILE replaces the system's certificates; an own CA is meant to come on top of them. */
function joinCertificates(caFile: string, folder: string): string {
  const joined = path.join(folder, 'certificates.pem');
  let system = '';
  try {
    system = readFileSync(systemCertificates, 'utf8');
  } catch {
    // A system without a bundle: the own CA alone, then.
  }
  writeFileSync(joined, `${system}\n${readFileSync(caFile, 'utf8')}`, { mode: 0o600 });
  return joined;
}
