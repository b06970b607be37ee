import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { CommandError } from '../terminal.ts';
import { writeBundle } from './bundle.ts';

const run = promisify(execFile);

describe('bundling an app', () => {
  const made: string[] = [];
  let app: string;

  beforeEach(async () => {
    app = await mkdtemp(path.join(tmpdir(), 'haic-bundle-'));
    made.push(app);
    await mkdir(path.join(app, 'src'));
    await writeFile(path.join(app, 'app.toml'), '[app]\nname = "a.b"\nVERSION = "1.2.3"\n');
    await writeFile(path.join(app, 'src', 'app.py'), 'print(1)\n');
  });
  after(() => Promise.all(made.map((directory) => rm(directory, { recursive: true, force: true }))));

  /** Read back by another implementation of zip than the one that wrote it. */
  const entriesOf = async (file: string): Promise<string[]> => {
    const { stdout } = await run('/usr/bin/python3', ['-m', 'zipfile', '-l', file]);
    return stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/\s+/)[0] ?? '');
  };

  it('names the file after Name and Version, whatever the case of their keys', async () => {
    const file = await writeBundle(app, app);
    assert.equal(path.basename(file), 'a.b.1.2.3.wave');
    assert.deepEqual(await entriesOf(file), ['app.toml', 'src/app.py']);
  });

  it('leaves out what .appignore lists, earlier bundles, and what never belongs to an app', async () => {
    await writeFile(path.join(app, '.appignore'), 'notes/\n*.csv\n!keep.csv\n');
    await mkdir(path.join(app, 'notes'));
    await mkdir(path.join(app, '__pycache__'));
    for (const file of [
      'notes/a.md',
      'big.csv',
      'keep.csv',
      '__pycache__/app.pyc',
      '.DS_Store',
      'old.1.0.0.wave',
    ]) {
      await writeFile(path.join(app, file), 'x');
    }
    const entries = await entriesOf(await writeBundle(app, app));
    assert.deepEqual(entries, ['.appignore', 'app.toml', 'keep.csv', 'src/app.py']);
  });

  it('says what is missing, and writes nothing', async () => {
    await writeFile(path.join(app, 'app.toml'), '[App]\nName = "a"\n');
    await assert.rejects(
      writeBundle(app, app),
      (error) => error instanceof CommandError && /Version/.test(error.message),
    );
    await writeFile(path.join(app, 'app.toml'), '[App]\nName = "../../etc/x"\nVersion = "1"\n');
    await assert.rejects(writeBundle(app, app), /must not hold slashes/);
    await rm(path.join(app, 'app.toml'));
    await assert.rejects(writeBundle(app, app), /it has no app.toml/);
    assert.deepEqual(await readdir(app), ['src']);
  });
});
