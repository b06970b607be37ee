import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { whyNotHere } from '@haic/test-cluster/cluster.ts';
import { startEngine } from './engine.ts';

const cacheDirectory = process.env.HAIC_CACHE ?? '/var/cache/haic';
const folder = path.join(cacheDirectory, 'image-builder');

describe('the Docker engine of the tests', { skip: whyNotHere() ?? false }, () => {
  it('ends with whom it is for, also when that is killed, and leaves no process, mount or control group', async () => {
    const script = `
      const { startEngine } = await import(${JSON.stringify(new URL('./engine.ts', import.meta.url).href)});
      await startEngine({ cacheDirectory: ${JSON.stringify(cacheDirectory)}, tell: () => undefined, signal: AbortSignal.timeout(200_000) });
      console.log('up');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data', { signal: deadline(240_000) });
    const socket = path.join(folder, `docker-${child.pid}.sock`);
    assert.ok((await processesOf(socket)).length >= 2);
    child.kill('SIGKILL');
    await until(async () => ((await processesOf(socket)).length === 0 ? true : undefined), {
      everyMs: 100,
      signal: deadline(40_000),
    });

    const options = { cacheDirectory, tell: () => undefined, signal: AbortSignal.timeout(240_000) };
    const next = await startEngine(options);
    assert.match(await next.docker('version'), /Server:/);
    await next.stop();
    const left = await readdir(folder);
    for (const pid of [child.pid, process.pid]) assert.ok(!left.includes(`docker-${pid}.sock`), left.join());
    assert.doesNotMatch(await readFile('/proc/mounts', 'utf8'), /image-builder|\/run\/docker/);
    for await (const group of glob('/sys/fs/cgroup/{haic-images-*,*/haic-images-*}')) assert.fail(group);
  });
});

/** Started with this path, in whatever namespace. */
async function processesOf(file: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (words.includes(file)) found.push(words.replaceAll('\0', ' '));
  }
  return found;
}
