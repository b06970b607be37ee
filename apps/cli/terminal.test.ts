import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readCliConfig, writeCliConfig } from './h2o/config-file.ts';
import { age, record, table } from './terminal.ts';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '../..');
const haic = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  run(process.execPath, [path.join(import.meta.dirname, 'main.ts'), ...args], {
    env: { ...process.env, ...env },
  }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );

test('tables line up by two spaces, records are cut by tabs, ages are short', () => {
  assert.equal(
    table(
      ['ID', 'TITLE'],
      [
        ['1', 'a'],
        ['22', ''],
      ],
    ),
    'ID  TITLE\n1   a\n22  ',
  );
  assert.equal(
    record([
      ['ID', '1'],
      ['Title', 'a'],
    ]),
    'ID\t1\nTitle\ta',
  );
  const now = Date.parse('2030-01-02T00:00:00Z');
  assert.deepEqual(
    ['2030-01-01T23:59:57Z', '2030-01-01T23:00:00Z', '2029-12-29T00:00:00Z'].map((at) => age(at, now)),
    ['3s', '1h', '4d'],
  );
});

test('what others wrote forges no row and no line, and says nothing to the terminal', () => {
  assert.equal(table(['ID', 'TITLE'], [['1', 'a\n2  b\u001b[2Jc']]), 'ID  TITLE\n1   a 2  b [2Jc');
  assert.equal(record([['Title', 'a\nID\tforged\u2028x']]), 'Title\ta ID forged x');
});

test('the configuration file is written for its owner alone, and read back', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-cli-'));
  try {
    const file = path.join(directory, 'deep', 'config.toml');
    const config = { Endpoint: 'https://haic.test', OIDCAddress: 'https://haic.test/a', Token: 't' };
    await writeCliConfig(file, config);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual(await readCliConfig(file), config);
    await writeFile(file, 'Endpoint = ');
    await assert.rejects(readCliConfig(file), /is not valid TOML/);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('exit codes: 2 for a wrong call, 4 for who is not signed in, talk on stderr alone', async () => {
  const unknown = await haic(['no-such-verb']);
  assert.deepEqual([unknown.code, unknown.stdout], [2, '']);
  const nobody = await haic(['app', 'list'], { H2OCONFIG: '/nowhere/config.toml' });
  assert.deepEqual([nobody.code, nobody.stdout], [4, '']);
  assert.match(nobody.stderr, /haic config setup/);
  assert.match((await haic(['doctor', '--settings'])).stdout, /HAIC_DATABASE_URL/);
});

test('the ./haic script is plain POSIX shell', async () => {
  await run('sh', ['-n', path.join(root, 'haic')]);
});
