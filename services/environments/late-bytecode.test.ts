import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { BytecodeCache } from './bytecode.ts';
import { createLateBytecode } from './late-bytecode.ts';
import type { Environments } from './service.ts';
import { openStore } from './store.ts';
import {
  makeWheel,
  runPython,
  startTestEnvironments,
  type TestWheel,
  testCaller,
  testFolder,
} from './testing.ts';

let folder: string;
before(async () => {
  folder = await testFolder();
});
after(() => rm(folder, { recursive: true, force: true }));

/** Longer than any test: bytecode is left to the next start. */
const never = 3_600_000;

async function prepare(environments: Environments, ...wheels: readonly TestWheel[]): Promise<string> {
  // As clients do: uv takes a file that was written anew for another wheel.
  for (const wheel of wheels)
    if (!(await environments.hasWheel(wheel.sha256, wheel.fileName))) await wheel.upload(environments);
  const outcome = await environments.prepare(
    {
      python: 'default',
      requirements: wheels.map((wheel) => `./${wheel.fileName}`).join('\n'),
      wheels: wheels.map((wheel) => ({ path: wheel.fileName, sha256: wheel.sha256 })),
    },
    testCaller(),
  );
  assert.equal(outcome.type, 'ready', JSON.stringify(outcome));
  return outcome.type === 'ready' ? outcome.path : '';
}

/** The bytecode that an app of this environment loads for the module, if there is any. */
async function bytecodeOf(venv: string, module: string): Promise<string | undefined> {
  const script = `import os, ${module}; print(${module}.__cached__ if os.path.exists(${module}.__cached__) else "")`;
  const { code, output } = await runPython(script, [], { python: path.join(venv, 'bin/python') });
  assert.equal(code, 0, output);
  return output.trim() === '' ? undefined : output.trim();
}

const inodeOf = async (file: string | undefined) => (await stat(file ?? 'no bytecode')).ino;

test('what a stopped installer left to compile is done after its next start', async () => {
  const directory = await testFolder();
  const pending = () => readdir(path.join(directory, 'pending'));
  const wheel = await makeWheel(folder, 'left');
  const first = await startTestEnvironments({ directory, bytecodeDelayMs: never });
  const venv = await prepare(first.environments, wheel);
  await first.stop();
  assert.equal(await bytecodeOf(venv, 'left'), undefined);
  assert.deepEqual(await pending(), [path.basename(path.dirname(venv))]);

  const second = await startTestEnvironments({ directory, bytecodeDelayMs: 0 });
  await second.environments.bytecodeMade();
  assert.ok(await bytecodeOf(venv, 'left'));
  assert.deepEqual(await pending(), []);
  await second.stop();
  await rm(directory, { recursive: true });
});

test('a wheel of several environments is compiled once, and all of them get the result', async () => {
  const directory = await testFolder();
  const [shared, own, later] = await Promise.all(
    ['shared', 'own', 'later'].map((name) => makeWheel(folder, name)),
  );
  assert.ok(shared && own && later);
  const first = await startTestEnvironments({ directory, bytecodeDelayMs: never });
  // Both were linked while the wheel was not compiled.
  const venvs = [await prepare(first.environments, shared), await prepare(first.environments, shared, own)];
  await first.stop();
  const second = await startTestEnvironments({ directory, bytecodeDelayMs: 0 });
  await second.environments.bytecodeMade();
  const [one, other] = await Promise.all(venvs.map((venv) => bytecodeOf(venv, 'shared')));
  assert.equal(await inodeOf(one), await inodeOf(other));
  await second.stop();

  const third = await startTestEnvironments({ directory, bytecodeDelayMs: never });
  const known = await prepare(third.environments, shared, later);
  assert.equal(await inodeOf(await bytecodeOf(known, 'shared')), await inodeOf(one), 'linked by uv itself');
  assert.equal(await bytecodeOf(known, 'later'), undefined);
  await third.stop();
  await rm(directory, { recursive: true });
});

test('bytecode is for everyone to read and for no app to write, whatever the umask', async () => {
  const umask = process.umask(0o077);
  const { environments, stop } = await startTestEnvironments({ bytecodeDelayMs: 0 });
  try {
    const venv = await prepare(environments, await makeWheel(folder, 'modes'));
    await environments.bytecodeMade();
    const file = (await bytecodeOf(venv, 'modes')) ?? '';
    assert.equal((await stat(file)).mode & 0o7777, 0o644);
    assert.equal((await stat(path.dirname(file))).mode & 0o7777, 0o755);
  } finally {
    process.umask(umask);
    await stop();
  }
});

test('a source that cannot be compiled keeps no other from it', async () => {
  const { environments, stop } = await startTestEnvironments({ bytecodeDelayMs: 0 });
  const files = { 'fine.py': 'answer = 42\n', 'broken.py': 'answer =\n', 'folder.py/data.txt': 'x' };
  const wheel = await makeWheel(folder, 'fine', files);
  const venv = await prepare(environments, wheel);
  await environments.bytecodeMade();
  assert.ok(await bytecodeOf(venv, 'fine'));
  await stop();
});

test('nothing is compiled while another app’s packages are being chosen or installed', async () => {
  const asked = Promise.withResolvers<ServerResponse>();
  const index = createServer((_request, response) => asked.resolve(response));
  await new Promise<void>((resolve) => index.listen(0, '127.0.0.1', resolve));
  const { port } = index.address() as AddressInfo;
  const { environments, stop } = await startTestEnvironments({
    bytecodeDelayMs: 0,
    index: `http://127.0.0.1:${port}/simple/`,
  });
  const leaving = new AbortController();
  const busy = environments.prepare(
    { python: 'default', requirements: 'held==1' },
    testCaller(leaving.signal),
  );
  await asked.promise;
  const venv = await prepare(environments, await makeWheel(folder, 'patient'));
  // Takes longer than compiling the first one would.
  await prepare(environments, await makeWheel(folder, 'another'));
  assert.equal(await bytecodeOf(venv, 'patient'), undefined);
  leaving.abort(new Error('left'));
  await assert.rejects(busy, /left/);
  await environments.bytecodeMade();
  assert.ok(await bytecodeOf(venv, 'patient'));
  await stop();
  index.closeAllConnections();
  index.close();
});

/** The queue itself, with an environment that only looks like one and a compiler that does what the test says. */
async function queue(directory: string, complete: BytecodeCache['complete'], idle = Promise.resolve()) {
  const store = await openStore(directory);
  const python = { version: '3.11', fullVersion: '3.11.2', path: '/usr/bin/python3.11' };
  const late = createLateBytecode({
    store,
    cache: { compiled: async () => new Set(), complete },
    interpreters: [python],
    checkSpace: async () => undefined,
    whenIdle: () => idle,
    delayMs: 0,
    log: () => undefined,
  });
  const publish = async (hash: string) => {
    await late.remember(hash, python);
    await mkdir(path.join(store.folders.envs, hash));
    await writeFile(path.join(store.folders.envs, hash, 'requirements.lock'), '');
    late.add(hash, python, new Set());
  };
  const record = (hash: string) => readFile(path.join(store.folders.pending, hash), 'utf8').then(JSON.parse);
  const pending = () => readdir(store.folders.pending);
  return { late, publish, record, pending, envs: store.folders.envs };
}

test('an environment waits for its bytecode until nothing is being installed', async () => {
  const [directory, other] = [await testFolder(), await testFolder()];
  const installed = Promise.withResolvers<void>();
  const complete = async () => ({ compiled: 1, failed: 0 });
  const waiting = await queue(directory, complete, installed.promise);
  await waiting.publish('a');
  // One that came later and has nothing to wait for is done.
  const free = await queue(other, complete);
  await free.publish('a');
  await free.late.whenIdle();
  assert.deepEqual([await free.pending(), await waiting.pending()], [[], ['a']]);
  installed.resolve();
  await waiting.late.whenIdle();
  assert.deepEqual(await waiting.pending(), []);
  for (const folder of [directory, other]) await rm(folder, { recursive: true });
});

test('what fails is tried once more, at the next start', async () => {
  const directory = await testFolder();
  let attempts = 0;
  const fail = async () => {
    attempts += 1;
    throw new Error('no memory');
  };
  const first = await queue(directory, fail);
  await first.publish('a');
  await first.late.whenIdle();
  assert.deepEqual(await first.record('a'), { python: '3.11.2', begun: 1 });
  for (const attemptsThen of [2, 2]) {
    const next = await queue(directory, fail);
    await next.late.takeUp();
    await next.late.whenIdle();
    assert.equal(attempts, attemptsThen);
  }
  assert.deepEqual(await first.pending(), []);
  await rm(directory, { recursive: true });
});

test('being stopped counts as no attempt', async () => {
  const directory = await testFolder();
  const begun = Promise.withResolvers<void>();
  const { late, publish, record } = await queue(directory, async (_venv, _python, { signal }) => {
    begun.resolve();
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    return { compiled: 0, failed: 0 };
  });
  await publish('a');
  await begun.promise;
  assert.deepEqual(await record('a'), { python: '3.11.2', begun: 1 });
  await late.stop();
  assert.deepEqual(await record('a'), { python: '3.11.2', begun: 0 });
  assert.equal(late.idle(), true);
  await rm(directory, { recursive: true });
});

test('an environment that was removed meanwhile is forgotten, and so is a record that cannot be read', async () => {
  const directory = await testFolder();
  const first = await queue(directory, () => Promise.reject(new Error('later')));
  await first.publish('a');
  await first.late.whenIdle();
  await rm(path.join(first.envs, 'a'), { recursive: true });
  await writeFile(path.join(directory, 'pending', 'b'), '{');
  let compiled = 0;
  const second = await queue(directory, async () => {
    compiled += 1;
    return { compiled: 1, failed: 0 };
  });
  await second.late.takeUp();
  await second.late.whenIdle();
  assert.equal(compiled, 0);
  assert.deepEqual(await second.pending(), []);
  await rm(directory, { recursive: true });
});
