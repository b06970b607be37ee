import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { deadline, until } from '@haic/kit/deadline.ts';
import { execute } from './haic.ts';
import { pythonWith } from './python.ts';

/** The last one that exports models without a licence. The package holds the server, too. */
const requirements = ['h2o==3.46.0.11', 'requests==2.32.5', 'tabulate==0.9.0'];
const jarSha256 = '727bab12d915b8b42dcbdb3b59595311e61382a0f8f66d25b546ad5a4497914e';

export interface H2o3 {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** With the client of the same version. */
  readonly python: string;
  stop(): Promise<void>;
}

/** Installs it once. Returns the Python that has its package. */
export const ensureH2o3 = (): Promise<string> => pythonWith(requirements);

/** An H2O-3 of one node on loopback. `settings` are Java system properties. */
export async function startH2o3(settings: Readonly<Record<string, string>>): Promise<H2o3> {
  const python = await ensureH2o3();
  const jar = await jarOf(python);
  const folder = await mkdtemp(path.join(tmpdir(), 'haic-test-h2o3-'));
  const readyFile = path.join(folder, 'ready');
  // It unpacks libraries of its own, 150 MB of them, and never removes them.
  const properties = Object.entries({ ...settings, 'java.io.tmpdir': folder }).map(
    ([name, value]) => `-D${name}=${value}`,
  );
  const own = ['-name', path.basename(folder), '-ip', '127.0.0.1', '-web_ip', '127.0.0.1'];
  // Random, since each takes the port beside its own, too, and looks upwards from here only.
  const from = ['-baseport', String(33_000 + 2 * Math.floor(Math.random() * 5_000))];
  const folders = ['-ice_root', folder, '-log_dir', folder, '-flow_dir', folder, '-notify_local', readyFile];
  const java = spawn(
    '/usr/bin/java',
    ['-Xmx512m', ...properties, '-jar', jar, ...own, ...from, ...folders, '-nthreads', '2'],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: '/usr/bin:/bin', HOME: folder } },
  );
  const said: string[] = [];
  for (const stream of [java.stdout, java.stderr]) stream.on('data', (text) => said.push(String(text)));
  const stop = async () => {
    await end(java);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const address = await until(
      async () => {
        if (java.exitCode !== null || java.signalCode !== null) throw new Error('H2O-3 ended.');
        return (await readFile(readyFile, 'utf8').catch(() => '')).trim() || undefined;
      },
      { everyMs: 100, signal: deadline(120_000) },
    );
    return { url: `http://${address}`, python, stop };
  } catch (cause) {
    await stop();
    throw new Error(`H2O-3 did not start:\n${said.join('')}`, { cause });
  }
}

async function jarOf(python: string): Promise<string> {
  const where = 'import importlib.util as u; print(u.find_spec("h2o").submodule_search_locations[0])';
  const jar = path.join((await execute(python, ['-c', where])).trim(), 'backend/bin/h2o.jar');
  const hash = createHash('sha256');
  await pipeline(createReadStream(jar), hash);
  if (hash.digest('hex') !== jarSha256) throw new Error(`${jar} is another one than was tested with.`);
  return jar;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
