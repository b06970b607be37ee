import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { listInterpreters, pickInterpreter } from './interpreters.ts';
import { appUid, isRoot, runPython, testFolder } from './testing.ts';
import { ensureUv } from './uv.ts';

test('uv comes from the package index once, and two at a time do not get in each other’s way', async () => {
  const cacheDirectory = await testFolder();
  try {
    const options = { cacheDirectory, signal: AbortSignal.timeout(60_000) };
    const [one, two] = await Promise.all([ensureUv(options), ensureUv(options)]);
    assert.deepEqual(one, two);
    assert.equal(one.path, path.join(cacheDirectory, 'uv', one.version, 'uv'));
    const { stdout } = await promisify(execFile)(
      one.path,
      ['--version'],
      isRoot ? { uid: appUid, gid: appUid } : {},
    );
    assert.match(stdout, new RegExp(`^uv ${one.version.replaceAll('.', '\\.')}`));
    assert.deepEqual(await readdir(path.join(cacheDirectory, 'uv')), [one.version]);
  } finally {
    await rm(cacheDirectory, { recursive: true, force: true });
  }
});

test('an index that does not answer is said with what to set, and nothing half-made stays', async () => {
  const cacheDirectory = await testFolder();
  try {
    const network = { pypiIndex: 'http://127.0.0.1:9/simple' };
    await assert.rejects(
      ensureUv({ cacheDirectory, network, signal: AbortSignal.timeout(60_000) }),
      /HAIC_PYPI_INDEX/,
    );
    assert.deepEqual(await readdir(path.join(cacheDirectory, 'uv')), []);
  } finally {
    await rm(cacheDirectory, { recursive: true, force: true });
  }
});

test('only interpreters that every uid can run are offered', async () => {
  const available = await listInterpreters();
  const first = pickInterpreter('default', available);
  assert.ok(first !== undefined, 'this machine has a system Python');
  assert.equal(pickInterpreter(first.version, available), first);
  assert.equal(pickInterpreter('3.99', available), undefined);
  if (!isRoot) return;
  for (const interpreter of available)
    assert.equal(
      (await runPython('pass', [], { uid: appUid, python: interpreter.path })).code,
      0,
      interpreter.path,
    );
});
