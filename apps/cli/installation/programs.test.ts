import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { installPrograms } from './programs.ts';

test('programs are built once for the same sources, and put where each installation has them', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-programs-'));
  const cache = path.join(directory, 'cache');
  const placesOf = (home: string) => ({
    sandbox: path.join(directory, home, 'assets'),
    platform: path.join(directory, home, 'programs'),
    cli: path.join(directory, home, 'bin/h2o'),
  });
  try {
    const [first, second] = [placesOf('first'), placesOf('second')];
    await installPrograms(cache, first);
    const parts = (await readdir(first.platform)).filter((name) =>
      /^(core|drive|router)-.{8}\.mjs$/.test(name),
    );
    assert.ok(parts.length > 0);
    const whole = (await readdir(first.platform)).filter((name) => !parts.includes(name));
    assert.deepEqual(whole.sort(), ['core.mjs', 'disk.mjs', 'drive.mjs', 'router.mjs', 'supervisor.mjs']);
    assert.deepEqual((await readdir(first.sandbox)).sort(), ['installer.mjs', 'launcher.mjs']);
    assert.equal((await stat(first.cli)).mode & 0o777, 0o755);

    const [build = ''] = await readdir(path.join(cache, 'programs'));
    const kept = path.join(cache, 'programs', build, 'platform/core.mjs');
    await writeFile(kept, '// as it was kept');
    await writeFile(path.join(first.platform, 'core.mjs'), '// damaged');
    await writeFile(path.join(first.platform, 'core-OLDOLD22.mjs'), '// a part of an earlier build');
    for (const places of [first, second]) {
      await installPrograms(cache, places);
      assert.equal(await readFile(path.join(places.platform, 'core.mjs'), 'utf8'), '// as it was kept');
    }
    assert.deepEqual((await readdir(first.platform)).sort(), [...whole, ...parts].sort());
    assert.deepEqual(await readdir(path.join(cache, 'programs')), [build]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
