import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { buildPrograms } from '@haic/cli/installation/build.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { connectInstaller, type EnvironmentsClient } from '@haic/services/environments/client.ts';
import { python, uvProgram } from './peers.ts';
import { cpuSeconds, run } from './processes.ts';
import { compare, median, type Row, spread } from './rows.ts';

const rounds = 5;
const requirementsFile = path.join(import.meta.dirname, '../samples/hello/requirements.txt');

/**
 * Row 6: CPU of making an environment from nothing, from the request until it is ready, and of the same lock a second time, by the bundled
 * installer itself. pip compiles bytecode meanwhile; the installer does it afterwards, which the last round measures too.
 *
 * What the rounds make stays in `directory`, which is the caller's to remove: ext4 takes no inode again that was freed seconds ago, and
 * searching for others would cost the next round more than all it does itself.
 */
export async function benchInstall(directory: string): Promise<readonly Row[]> {
  await buildPrograms({ sandbox: directory, platform: directory });
  const uv = await uvProgram();
  const requirements = await readFile(requirementsFile, 'utf8');
  const [cold, again, theirs]: [number[], number[], number[]] = [[], [], []];
  let later = '';
  let problem: string | undefined;
  for (let round = 0; round < rounds; round += 1) {
    const ours = await installOnce(directory, uv, requirements, round === rounds - 1);
    if (ours.later !== undefined) later = ours.later.toFixed(2);
    cold.push(ours.cold);
    again.push(ours.again);
    try {
      theirs.push(await pipInstall(directory));
    } catch (error) {
      problem = messageOf(error);
    }
  }
  const shared = {
    peer: 'pip install --no-cache-dir',
    unit: 's CPU',
    theirs: theirs.length === 0 ? null : median(theirs),
  };
  const note = (values: readonly number[], more: string) =>
    problem === undefined
      ? `samples/hello; rounds: ours ${spread(values)}, theirs ${spread(theirs)}${more}`
      : `could not be had: ${problem}`;
  const afterwards =
    `; until ready, without bytecode, which pip's has in it: it is made later, at the lowest priority, once for each wheel, ` +
    `for ${later} s CPU; an app that starts before compiles what it imports itself`;
  const rows: readonly [string, string, readonly number[], number, string][] = [
    ['6', 'environment, cold, until ready', cold, 0.15, afterwards],
    ['6.again', 'environment, second app with the same lock', again, 0.1, ''],
  ];
  return rows.map(([id, name, values, most, more]) =>
    compare({ id, name: `${name}, CPU`, ...shared, ours: median(values), note: note(values, more) }, most),
  );
}

async function installOnce(
  directory: string,
  uv: string,
  requirements: string,
  waitForBytecode: boolean,
): Promise<{ cold: number; again: number; later: number | undefined }> {
  const home = await mkdtemp(path.join(directory, 'installer-'));
  const environments = path.join(home, 'environments');
  await mkdir(environments);
  const socket = path.join(home, 'installer.sock');
  const child = spawn(process.execPath, [path.join(directory, 'installer.mjs')], {
    env: { ...process.env, HAIC_INSTALLER_SOCKET: socket, HAIC_ENVIRONMENTS_DIR: environments, HAIC_UV: uv },
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    const client = connectInstaller(socket);
    await untilHealthy(client);
    const pid = child.pid ?? 0;
    // Two scopes are two apps: the second chooses for itself and finds the same lock.
    const first = await cpuOf(pid, () => install(client, requirements, 'first'));
    const second = await cpuOf(pid, () => install(client, requirements, 'second'));
    const later = waitForBytecode ? await cpuOf(pid, () => untilCompiled(environments)) : undefined;
    return { cold: first, again: second, later };
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

async function install(client: EnvironmentsClient, requirements: string, scope: string): Promise<void> {
  const outcome = await client.prepare({ python: 'default', requirements, scope });
  if (outcome.type !== 'ready')
    throw new Error(`The installer did not: ${JSON.stringify(outcome).slice(0, 500)}`);
}

async function cpuOf(pid: number, work: () => Promise<void>): Promise<number> {
  const before = await cpuSeconds(pid);
  await work();
  return (await cpuSeconds(pid)) - before;
}

async function untilHealthy(client: EnvironmentsClient): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const healthy = await client.health().then(
      () => true,
      () => false,
    );
    if (healthy) return;
    await pause(20);
  }
  throw new Error('The installer did not start.');
}

/** The installer keeps a note of each environment whose bytecode is still to be made. */
async function untilCompiled(environments: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if ((await readdir(path.join(environments, 'pending'))).length === 0) return;
    await pause(1_000);
  }
  throw new Error('The installer did not make the bytecode.');
}

/** The environment and its pip are there already: only installing counts. */
async function pipInstall(directory: string): Promise<number> {
  const home = await mkdtemp(path.join(directory, 'pip-'));
  await run(python, ['-m', 'venv', home]);
  const words = [path.join(home, 'bin/pip'), 'install', '--quiet', '--no-cache-dir', '-r', requirementsFile];
  const program = `import resource, subprocess
subprocess.run(${JSON.stringify(words)}, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)`;
  const said = await run(python, ['-c', program]);
  return Number(said.trim());
}
