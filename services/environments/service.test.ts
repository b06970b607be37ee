import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import type { EnvironmentOutcome, EnvironmentReady, EnvironmentRequest } from './client.ts';
import type { Environments } from './service.ts';
import type { Caller } from './shared-work.ts';
import { makeWheel, runPython, startTestEnvironments, testCaller, testFolder } from './testing.ts';

let environments: Environments;
let directory: string;
let wheels: string;
let stop: () => Promise<void>;

before(async () => {
  ({ environments, directory, stop } = await startTestEnvironments({ bytecodeDelayMs: 0 }));
  wheels = await testFolder();
});
after(async () => {
  await stop();
  await rm(wheels, { recursive: true, force: true });
});

const prepare = (request: Partial<EnvironmentRequest>, caller: Caller = testCaller(), by = environments) =>
  by.prepare({ python: 'default', requirements: '', ...request }, caller);

function ready(outcome: EnvironmentOutcome): EnvironmentReady {
  assert.equal(outcome.type, 'ready', JSON.stringify(outcome));
  return outcome as EnvironmentReady;
}

function failure(outcome: EnvironmentOutcome): string {
  assert.equal(outcome.type, 'failed', JSON.stringify(outcome));
  return outcome.type === 'failed' ? outcome.message : '';
}

test('a Wave app gets its packages, with progress; the second time nothing is resolved or installed', async () => {
  const caller = testCaller();
  const first = ready(await prepare({ requirements: 'h2o-wave==1.8.16\n' }, caller));
  assert.equal(first.cached, false);
  assert.match(
    caller.lines.join('\n'),
    /Resolving for Python 3\.\d+…\n[\s\S]*Resolved \d+ packages[\s\S]*Installed \d+ packages/,
  );
  await environments.bytecodeMade();
  const used = await runPython(
    'import h2o_wave, h2o_wave.core as c; print(h2o_wave.__file__, c.__cached__, h2o_wave.Q.__init__.__code__.co_filename)',
    [],
    { python: path.join(first.path, 'bin', 'python') },
  );
  assert.equal(used.code, 0, used.output);
  const [file, cached, codeFile] = used.output.trim().split(' ');
  assert.ok(file?.startsWith(first.path));
  assert.ok(codeFile?.startsWith(first.path), `compiled code names the final place: ${codeFile}`);
  assert.ok(
    (await readdir(path.dirname(cached ?? ''))).includes(path.basename(cached ?? '')),
    'bytecode is there',
  );

  const again = testCaller();
  assert.deepEqual(await prepare({ requirements: 'h2o-wave==1.8.16\n' }, again), { ...first, cached: true });
  assert.deepEqual(again.lines, []);
});

test('an environment of known packages is made of what is there, with its bytecode', async () => {
  const caller = testCaller();
  const outcome = ready(await prepare({ requirements: 'h2o-wave==1.8.16\niniconfig==1.1.1\n' }, caller));
  assert.equal(outcome.cached, false);
  assert.doesNotMatch(caller.lines.join('\n'), /Download/);
  await environments.bytecodeMade();
  const used = await runPython(
    'import os, h2o_wave.core as c, iniconfig as i; print(all(map(os.path.exists, [c.__cached__, i.__cached__])))',
    [],
    {
      python: path.join(outcome.path, 'bin', 'python'),
    },
  );
  assert.equal(used.output.trim(), 'True');
});

test('a wheel cannot plant bytecode for the modules of another', async () => {
  const victim = await makeWheel(wheels, 'victim', { 'victim.py': 'answer = 42\n' });
  // The same path, time and size as the victim's source: Python would take bytecode of the one for the other's.
  const thief = await makeWheel(wheels, 'thief', { 'victim.py': 'answer = 66\n' });
  const of = (...list: (typeof victim)[]) => ({
    requirements: list.map((wheel) => `./${wheel.fileName}`).join('\n'),
    wheels: list.map((wheel) => ({ path: wheel.fileName, sha256: wheel.sha256 })),
  });
  for (const wheel of [victim, thief]) await wheel.upload(environments);
  await prepare(of(victim, thief));
  await environments.bytecodeMade();
  const { path: venv } = ready(await prepare(of(victim)));
  await environments.bytecodeMade();
  const used = await runPython('import victim; print(victim.answer)', [], {
    python: path.join(venv, 'bin/python'),
  });
  assert.equal(used.output.trim(), '42');
});

test('programs of packages run from the finished place', async () => {
  const { path: venv } = ready(await prepare({ requirements: 'h2o-wave==1.8.16\n' }));
  const ran = await runPython(
    'import subprocess, sys; sys.exit(subprocess.call([sys.argv[1], "--version"]))',
    [path.join(venv, 'bin', 'uvicorn')],
  );
  assert.match(ran.output, /Running uvicorn/);
});

test('two callers of the same requirements share one installation', async () => {
  const callers = [testCaller(), testCaller()];
  const outcomes = await Promise.all(
    callers.map((caller) => prepare({ requirements: 'iniconfig==2.0.0' }, caller)),
  );
  assert.equal(ready(outcomes[0] as EnvironmentOutcome).hash, ready(outcomes[1] as EnvironmentOutcome).hash);
  for (const caller of callers)
    assert.equal(
      caller.lines.filter((line) => line.startsWith('Installed')).length,
      1,
      caller.lines.join('\n'),
    );
});

test('different requirements that lead to the same lock are the same environment', async () => {
  const one = ready(await prepare({ requirements: 'iniconfig==2.0.0' }));
  const other = ready(await prepare({ requirements: '# the same\niniconfig ==2.0.0\n', scope: 'other-app' }));
  assert.equal(other.hash, one.hash);
  assert.equal(other.cached, true);
});

test('a package without a wheel needs a build, which the answer names', async () => {
  const outcome = await prepare({ requirements: 'iniconfig\ndocopt==0.6.2\n' });
  assert.equal(outcome.type, 'needs-build');
  if (outcome.type !== 'needs-build') return;
  assert.deepEqual(outcome.packages, ['docopt']);
  assert.equal(outcome.interpreter, '/usr/bin/python3');
});

test('packages and versions that do not exist are named', async () => {
  assert.match(
    failure(await prepare({ requirements: 'haic-no-such-package-of-this-name==2' })),
    /no package named "haic-no-such-package-of-this-name"/,
  );
  assert.match(failure(await prepare({ requirements: 'iniconfig==99' })), /^iniconfig==99 does not exist/);
  assert.match(failure(await prepare({ requirements: 'iniconfig<1\niniconfig>1' })), /contradict each other/);
  assert.match(
    failure(await prepare({ requirements: 'iniconfig', python: '3.99' })),
    /Python 3\.99 is not installed/,
  );
});

test('constraints and a cut-off date decide versions', async () => {
  const constrained = ready(await prepare({ requirements: 'iniconfig', constraints: 'iniconfig<2' }));
  const dated = ready(await prepare({ requirements: 'iniconfig', excludeNewer: '2021-01-01' }));
  assert.equal(constrained.hash, dated.hash);
  assert.notEqual(constrained.hash, ready(await prepare({ requirements: 'iniconfig' })).hash);
});

test('a hash that requirements.txt demands is enforced', async () => {
  const wrong = `iniconfig==2.0.0 --hash=sha256:${'0'.repeat(64)}`;
  assert.match(failure(await prepare({ requirements: wrong })), /iniconfig==2\.0\.0 .*other hashes/);
  const right =
    'iniconfig==2.0.0 --hash=sha256:b6a85871a79d2e3b22d2d1b94ac2824226a63c6b741c88f7ae975f18b6778374';
  ready(await prepare({ requirements: right }));
});

test('a wheel of the bundle is installed', async () => {
  const wheel = await makeWheel(wheels, 'bundled');
  await wheel.upload(environments);
  const { path: venv } = ready(
    await prepare({
      requirements: './dist/bundled-1.0-py3-none-any.whl\n',
      wheels: [{ path: 'dist/bundled-1.0-py3-none-any.whl', sha256: wheel.sha256 }],
    }),
  );
  const { output } = await runPython('import bundled; print(bundled.answer)', [], {
    python: path.join(venv, 'bin/python'),
  });
  assert.equal(output.trim(), '42');
});

test('a wheel that was not uploaded, or with another content than announced, is refused', async () => {
  const wheel = await makeWheel(wheels, 'liar');
  const claimed = 'f'.repeat(64);
  await assert.rejects(
    environments.putWheel({
      sha256: claimed,
      fileName: wheel.fileName,
      content: Readable.from(wheel.content),
      signal: AbortSignal.timeout(10_000),
    }),
    { code: 'wrong_hash' },
  );
  const request = {
    requirements: './liar-1.0-py3-none-any.whl',
    wheels: [{ path: 'liar-1.0-py3-none-any.whl', sha256: claimed }],
  };
  assert.match(failure(await prepare(request)), /was not uploaded/);
  assert.deepEqual(
    await readdir(path.join(directory, 'wheels')).then((names) => names.filter((name) => name === claimed)),
    [],
  );
});

test('hostile wheels change nothing outside, and their modes do not survive', async () => {
  const victim = path.join(directory, 'envs', 'pwned');
  const hostile: [string, Record<string, string>, string][] = [
    ['up', { 'up.py': '', '../../../../envs/pwned': 'x' }, ''],
    ['data', { 'data.py': '', 'data-1.0.data/data/../../../../envs/pwned': 'x' }, ''],
    ['absolute', { 'absolute.py': '', [victim]: 'x' }, ''],
    ['entry', { 'entry.py': '' }, '[console_scripts]\n../../../../envs/pwned = entry:main\n'],
    ['python', { 'python.py': '', 'python-1.0.data/scripts/python': '#!/bin/sh\n' }, ''],
  ];
  for (const [name, files, entryPoints] of hostile) {
    const wheel = await makeWheel(wheels, name, files, entryPoints);
    await wheel.upload(environments);
    await prepare({
      requirements: `./${wheel.fileName}`,
      wheels: [{ path: wheel.fileName, sha256: wheel.sha256 }],
    });
    assert.equal((await readdir(path.join(directory, 'envs'))).includes('pwned'), false, name);
  }
});

test('code that a wheel starts with the interpreter does not run at the installer', async () => {
  const mark = path.join(wheels, 'ran');
  const wheel = await makeWheel(wheels, 'startup', {
    'startup.pth': `import os; open(${JSON.stringify(mark)}, "w").close()\n`,
    'sitecustomize.py': `open(${JSON.stringify(mark)}, "w").close()\n`,
    'compileall.py': `open(${JSON.stringify(mark)}, "w").close()\n`,
  });
  await wheel.upload(environments);
  const request = {
    requirements: `./${wheel.fileName}`,
    wheels: [{ path: wheel.fileName, sha256: wheel.sha256 }],
  };
  const { path: venv } = ready(await prepare(request));
  ready(await prepare(request));
  await environments.bytecodeMade();
  assert.equal((await readdir(wheels)).includes('ran'), false);
  // The wheel does work: at an app it runs.
  await runPython('pass', [], { python: path.join(venv, 'bin/python') });
  assert.equal((await readdir(wheels)).includes('ran'), true);
});

test('a caller that leaves does not end the installation that another waits for', async () => {
  const leaving = new AbortController();
  const first = prepare(
    { requirements: 'packaging==24.0' },
    { onLine: () => void leaving.abort(new Error('left')), signal: leaving.signal },
  );
  const second = prepare({ requirements: 'packaging==24.0' });
  await assert.rejects(first, /left/);
  ready(await second);
});

test('when nobody waits any more the work ends and leaves nothing behind', async () => {
  const leaving = new AbortController();
  const caller = testCaller(leaving.signal);
  const left = prepare(
    { requirements: 'pluggy==1.5.0' },
    { ...caller, onLine: (line) => void (line.startsWith('Installing') && leaving.abort(new Error('left'))) },
  );
  await assert.rejects(left, /left/);
  await environments.stop();
  assert.deepEqual(await readdir(path.join(directory, 'tmp')), []);
  await stop();
  ({ environments, directory, stop } = await startTestEnvironments({ bytecodeDelayMs: 0 }));
});

test('the Wave server of the platform is installed once', async () => {
  const waved = await environments.waved(testCaller());
  assert.equal(waved.version, '1.8.16');
  assert.ok((await readdir(waved.www)).includes('index.html'));
  assert.deepEqual(await environments.waved(testCaller()), waved);
});

test('what nobody has used for 30 days goes, what is used stays', async () => {
  const kept = ready(await prepare({ requirements: 'iniconfig==2.0.0' }));
  await environments.sweep();
  assert.equal(environments.keep(kept.hash), true);
  await environments.sweep(new Date(Date.now() + 31 * 24 * 60 * 60 * 1000));
  assert.equal(environments.keep(kept.hash), false);
  assert.deepEqual(await readdir(path.join(directory, 'envs')), []);
  assert.equal(ready(await prepare({ requirements: 'iniconfig==2.0.0' })).cached, false);
});
