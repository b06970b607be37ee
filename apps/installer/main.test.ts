import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectInstaller, type EnvironmentsClient } from '@haic/services/environments/client.ts';
import { testFolder, testUv } from '@haic/services/environments/testing.ts';

const entry = fileURLToPath(new URL('./main.ts', import.meta.url));
let folder: string;
let socket: string;
let environmentsFolder: string;
let client: EnvironmentsClient;

before(async () => {
  folder = await testFolder();
  socket = path.join(folder, 'installer.sock');
  environmentsFolder = path.join(folder, 'environments');
  client = connectInstaller(socket);
});
after(() => rm(folder, { recursive: true, force: true }));

async function start(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [entry], {
    env: {
      PATH: process.env.PATH,
      HAIC_INSTALLER_SOCKET: socket,
      HAIC_ENVIRONMENTS_DIR: environmentsFolder,
      HAIC_UV: await testUv(),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
    if (line.includes('installer ready')) return child;
  throw new Error('The installer did not start.');
}

async function kill(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
  child.kill(signal);
  const [code] = await once(child, 'exit');
  return code;
}

test('killed in the middle of an installation it leaves nothing half-made, and starts again', async () => {
  for (const moment of ['Resolving', 'Installing', 'Prepared']) {
    const child = await start();
    const request = { python: 'default', requirements: `h2o-wave==1.8.16\n`, scope: moment };
    const before = await readdir(path.join(environmentsFolder, 'envs'));
    assert.deepEqual(before, []);
    const died = once(child, 'exit');
    const outcome = client.prepare(request, {
      onLine: (line) => void (line.startsWith(moment) && child.kill('SIGKILL')),
    });
    await assert.rejects(outcome, { code: 'installer_unavailable' });
    await died;
    assert.deepEqual(await readdir(path.join(environmentsFolder, 'envs')), [], `killed at ${moment}`);
  }
  const child = await start();
  const leftover = await readdir(path.join(environmentsFolder, 'tmp'));
  assert.equal(leftover.length, 1, 'only its own');
  assert.equal(
    (await client.prepare({ python: 'default', requirements: 'h2o-wave==1.8.16\n' })).type,
    'ready',
  );
  assert.equal(await kill(child, 'SIGTERM'), 0);
});

test('the socket is for every uid, and asked to stop it ends what it is doing', async () => {
  const child = await start();
  assert.equal((await stat(socket)).mode & 0o777, 0o666);
  const stopped = once(child, 'exit');
  const outcome = client.prepare(
    { python: 'default', requirements: 'numpy==2.0.0\n' },
    { onLine: (line) => void (line.startsWith('Installing') && child.kill('SIGTERM')) },
  );
  await assert.rejects(outcome, { code: 'installer_unavailable' });
  assert.deepEqual(await stopped, [0, null]);
  assert.deepEqual(await readdir(path.join(environmentsFolder, 'tmp')), []);
});

test('without its settings it says which ones are missing', async () => {
  const child = spawn(process.execPath, [entry], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 1);
  assert.match(said, /HAIC_INSTALLER_SOCKET[\s\S]*HAIC_ENVIRONMENTS_DIR[\s\S]*HAIC_UV/);
});
