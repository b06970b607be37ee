import assert from 'node:assert/strict';
import { lstat, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { installationAt, prepareHome } from './installation.ts';

const skip = process.getuid?.() === 0 ? false : 'only root runs the installer as somebody else';

describe('what the folders of an installation belong to', { skip }, () => {
  it('environments that an installer made as root are given to the one that is not', async (t) => {
    const home = await mkdtemp(path.join(tmpdir(), 'haic-installation-'));
    t.after(() => rm(home, { recursive: true, force: true }));
    const at = installationAt(home, path.join(home, 'cache'));
    await prepareHome(at);
    const made = path.join(at.environments, 'envs', 'one', 'lib.py');
    await mkdir(path.dirname(made), { recursive: true });
    await writeFile(made, '');
    assert.equal((await lstat(made)).uid, 0);
    await prepareHome(at);
    const { uid } = await lstat(at.environments);
    assert.notEqual(uid, 0);
    assert.equal((await lstat(made)).uid, uid);
  });
});
