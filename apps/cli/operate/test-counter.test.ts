import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type FileCounts, filesToRunAgain, totals, withSecondRun } from './test-outcome.ts';

const counter = fileURLToPath(new URL('./test-counter.ts', import.meta.url));

describe('what a run of tests came to', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'haic-test-counter-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const counted = async (files: Record<string, string>): Promise<readonly FileCounts[]> => {
    const paths = Object.keys(files).map((name) => path.join(directory, name));
    for (const file of paths) await writeFile(file, files[path.basename(file)] ?? '');
    const counts = path.join(directory, 'counts.json');
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const args = ['--test', `--test-reporter=${counter}`, `--test-reporter-destination=${counts}`, ...paths];
    await new Promise<void>((resolve) => {
      execFile(process.execPath, args, { env }, () => resolve());
    });
    return JSON.parse(await readFile(counts, 'utf8')) as readonly FileCounts[];
  };

  test('each file has its own counts, and a failed test its name, suites and error', async () => {
    const counts = await counted({
      'good.mjs': `import { test } from 'node:test'; test('one', () => {}); test('two', { skip: 'why' }, () => {});`,
      'bad.mjs': `import { describe, test } from 'node:test'; import assert from 'node:assert';
        describe('a suite', () => { test('fine', () => {}); test('wrong', () => assert.equal(1, 2, 'they differ')); });`,
    });
    assert.deepEqual(totals(counts), { passed: 2, failed: 1, skipped: 1 });
    const bad = counts.find((file) => path.basename(file.file) === 'bad.mjs');
    assert.equal(bad?.failed[0]?.name, 'a suite › wrong');
    assert.match(bad?.failed[0]?.said ?? '', /they differ/);
  });

  test('what a contract suite says belongs to the file that ran it, which can be run once more', async () => {
    await writeFile(
      path.join(directory, 'contract.mjs'),
      `import { test } from 'node:test'; export const contract = () => test('kept', () => { throw new Error('broken'); });`,
    );
    const counts = await counted({ 'adapter.mjs': `import { contract } from './contract.mjs'; contract();` });
    assert.equal(totals(counts).failed, 1);
    assert.deepEqual(filesToRunAgain(counts), [path.join(directory, 'adapter.mjs')]);
  });

  test('a file that cannot be loaded is a failed test', async () => {
    const counts = await counted({ 'broken.mjs': `throw new Error('not loaded');` });
    assert.equal(totals(counts).failed, 1);
    assert.deepEqual(filesToRunAgain(counts), [path.join(directory, 'broken.mjs')]);
  });

  const file = (name: string, failed: number): FileCounts => ({
    file: `/${name}`,
    passed: 1,
    failed: Array.from({ length: failed }, () => ({ name, said: '' })),
    skipped: 0,
  });

  test('a file that failed is run once more, and what it then says counts', () => {
    const first = [file('a', 0), file('b', 1)];
    assert.deepEqual(filesToRunAgain(first), ['/b']);
    assert.deepEqual(totals(withSecondRun(first, [file('b', 1)])), { passed: 2, failed: 1, skipped: 0 });
    assert.deepEqual(totals(withSecondRun(first, [file('b', 0)])), { passed: 2, failed: 0, skipped: 0 });
  });

  test('when many failed, or the runner itself, nothing is run once more', () => {
    assert.deepEqual(filesToRunAgain([file('a', 1), file('b', 1), file('c', 1)]), []);
    assert.deepEqual(filesToRunAgain([{ ...file('a', 1), file: 'kit' }]), []);
  });
});
