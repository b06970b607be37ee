import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import {
  appUid,
  isRoot,
  makeWheel,
  runPython,
  startTestEnvironments,
  testCaller,
  testFolder,
} from './testing.ts';

const skip = isRoot ? false : 'needs root, to be another uid and to mount a small disk';

/** Tries to change, replace, remove or add everything below a folder; prints what it could. */
const attack = `
import os, sys
root = sys.argv[1]
done = []
def attempt(what, action):
    try:
        action()
        done.append(what)
    except OSError:
        pass
def every(folder):
    yield folder
    try: entries = list(os.scandir(folder))
    except OSError: return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False): yield from every(entry.path)
        else: yield entry.path
known = sys.argv[2:]
for start in [root] + known:
    for place in every(start):
        if os.path.islink(place): continue
        if os.path.isdir(place):
            attempt("add to " + place, lambda: os.mkdir(os.path.join(place, "planted")))
            attempt("mode of " + place, lambda: os.chmod(place, 0o777))
        else:
            attempt("write " + place, lambda: open(place, "ab").close())
            attempt("mode of " + place, lambda: os.chmod(place, 0o666))
            attempt("remove " + place, lambda: os.unlink(place))
for name in ["uv", "bytecode", "pending", "wheels", "locks", "tmp", "envs"]:
    attempt("list " + name, lambda: os.listdir(os.path.join(root, name)))
    attempt("plant in " + name, lambda: open(os.path.join(root, name, "planted"), "w").close())
print("\\n".join(done))
`;

test('an app can use an environment, and can write nothing in it, its cache or anything of the installer', {
  skip,
}, async () => {
  const { environments, directory, stop } = await startTestEnvironments({ bytecodeDelayMs: 0 });
  const folder = await testFolder();
  try {
    const wheel = await makeWheel(folder, 'modes', { 'modes.py': 'answer = 42\n', 'modes/data.txt': 'x' });
    await wheel.upload(environments);
    const outcome = await environments.prepare(
      {
        python: 'default',
        requirements: `h2o-wave==1.8.16\n./${wheel.fileName}\n`,
        wheels: [{ path: wheel.fileName, sha256: wheel.sha256 }],
      },
      testCaller(),
    );
    assert.equal(outcome.type, 'ready', JSON.stringify(outcome));
    if (outcome.type !== 'ready') return;
    await environments.bytecodeMade();
    const asApp = { uid: appUid };
    const used = await runPython('import h2o_wave, modes; print(modes.answer)', [], {
      ...asApp,
      python: path.join(outcome.path, 'bin/python'),
    });
    assert.equal(used.output.trim(), '42');
    const attacked = await runPython(attack, [directory, path.dirname(outcome.path)], asApp);
    assert.deepEqual(attacked, { code: 0, output: '\n' });
    const special = await promisify(execFile)('find', [directory, '-perm', '/6000']);
    assert.equal(special.stdout, '', 'no set-uid bits');
  } finally {
    await stop();
    await rm(folder, { recursive: true, force: true });
  }
});

test('a full disk is said plainly, nothing half-made is visible, and it works once there is space', {
  skip,
}, async () => {
  const mounted = path.join(await testFolder(), 'disk');
  await mkdir(mounted);
  const run = promisify(execFile);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=20m,mode=755', 'tmpfs', mounted]);
  try {
    const { environments, stop } = await startTestEnvironments({ directory: mounted });
    const request = { python: 'default', requirements: 'h2o-wave==1.8.16' };
    const outcome = await environments.prepare(request, testCaller());
    assert.equal(outcome.type, 'failed');
    if (outcome.type === 'failed') assert.match(outcome.message, /disk is full/i);
    assert.deepEqual(await readdir(path.join(mounted, 'envs')), []);
    await run('mount', ['-o', 'remount,size=400m', mounted]);
    assert.equal((await environments.prepare(request, testCaller())).type, 'ready');
    await stop();
    const careful = await startTestEnvironments({ directory: mounted, minFreeBytes: 2 ** 40 });
    const refused = await careful.environments.prepare(
      { python: 'default', requirements: 'attrs' },
      testCaller(),
    );
    assert.match(refused.type === 'failed' ? refused.message : '', /nearly full/);
    assert.equal(
      (await careful.environments.prepare(request, testCaller())).type,
      'ready',
      'what is there still works',
    );
    await careful.stop();
  } finally {
    await run('umount', [mounted]);
    await rm(path.dirname(mounted), { recursive: true, force: true });
  }
});

test('a folder whose modes were loosened is closed again at the next start', async () => {
  const directory = await testFolder();
  try {
    await (await startTestEnvironments({ directory })).stop();
    await chmod(path.join(directory, 'uv'), 0o777);
    await (await startTestEnvironments({ directory })).stop();
    const modes = await promisify(execFile)('stat', ['-c', '%a', path.join(directory, 'uv')]);
    assert.equal(modes.stdout.trim(), '700');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
