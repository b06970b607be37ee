import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sleep } from '@haic/kit/deadline.ts';
import { type Haic, placeForHaic, startHaic } from '../support/haic.ts';
import { eventually, importApp, kills, processesOf } from './support.ts';

const cli = path.join(import.meta.dirname, '../../apps/cli/main.ts');

describe('a restore that is killed', () => {
  let source: Haic;
  let target: Haic;
  let folder: string;
  const at = (name: string) => path.join(folder, name);

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'haic-backups-'));
    source = await startHaic();
    target = await placeForHaic();
    await source.addUser('ada');
    await importApp(source, await source.accessToken('ada'));
    await source.run(['backup', at('plain')]);
    await source.run(['down']);
    await writeFile(at('cut'), 'no backup');
  });
  after(async () => {
    await source?.stop();
    await target?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('at any moment leaves the old state or the new one, and `up` refuses what is neither', async () => {
    const moments = Math.max(4, Math.floor(kills / 4));
    for (let number = 0; number < moments; number += 1) {
      const child = spawn(process.execPath, [cli, 'restore', at('plain'), '--replace'], {
        env: target.environment,
        stdio: 'ignore',
      });
      const ended = new Promise((resolve) => child.once('close', resolve));
      // The first one as soon as something is there to be cut off; the others somewhere in the four seconds that it takes.
      await (number === 0
        ? eventually(() =>
            stat(path.join(target.home, 'restoring')).then(
              () => true,
              () => undefined,
            ),
          )
        : Promise.race([sleep(500 + (3_500 * number) / moments), ended]));
      child.kill('SIGKILL');
      await ended;
      if (number === 0) {
        const refused = await target.cli(['up', '--detach']);
        assert.equal(refused.code, 1);
        assert.match(refused.stderr, /was cut off, so nothing is there yet\. Restore once more/);
      }
      // The next restore completes it or takes it back before it looks at its own file.
      await target.cli(['restore', at('cut')]);
      const names = (await readdir(target.home)).filter((name) =>
        /^(secrets|postgres|blobs|runtime|volumes)$/.test(name),
      );
      assert.ok(names.length === 0 || names.length === 5, `half a Haic: ${names.join(', ')}`);
      assert.ok(!(await readdir(target.home)).includes('restoring'));
    }
    assert.deepEqual(await processesOf(target), [], 'no PostgreSQL of a killed restore is left');
  });

  it('and then made once more starts as if nothing had been', async () => {
    await target.run(['restore', at('plain'), '--replace']);
    await target.up();
    assert.match(await target.run(['user', 'list']), /^ada /m);
  });
});
