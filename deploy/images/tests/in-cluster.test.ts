import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { imageNames } from '@haic/cli/images/images.ts';
import { testImage, wheelhouse, writeWheelhouse } from '@haic/cli/images/test-image.ts';
import { ensureClusterImages } from '@haic/cli/operate/test-cluster.ts';
import { startCluster, whyNotHere } from '@haic/test-cluster/cluster.ts';
import { ensureBases } from './bases.ts';
import { build, buildImage, tagOf } from './builds.ts';
import { type Engine, startEngine } from './engine.ts';

const skip =
  process.env.HAIC_TEST_SIZE === 'full'
    ? (whyNotHere() ?? false)
    : 'the tests of Haic as pods once more, with Helm compiled for them: --size full';
const cacheDirectory = process.env.HAIC_CACHE ?? '/var/cache/haic';
const haicAsPods = fileURLToPath(new URL('../../../test/kubernetes/haic.test.ts', import.meta.url));

describe('the images that Docker built, in a cluster', { skip }, () => {
  it('carry Haic as pods, as images of tests do', async () => {
    const options = { cacheDirectory, tell: () => undefined, signal: AbortSignal.timeout(3_400_000) };
    const folder = await mkdtemp(path.join(tmpdir(), 'haic-images-'));
    try {
      const images = [
        ...(await ensureClusterImages({ haicImages: false, ingress: true }, options)),
        ...(await savedImages(folder, options)),
      ];
      const name = `images-${process.pid}`;
      const cluster = await startCluster({ ...options, name, images, tied: true });
      try {
        const { command, args, env } = cluster.command([process.execPath, '--test', haicAsPods]);
        const { code, said } = await outcome(command, args, { ...env, HAIC_TEST_SIZE: 'ci' });
        assert.equal(code, 0, said);
        assert.match(said, /^ℹ pass [1-9]/m);
      } finally {
        await cluster.stop();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

type Options = Parameters<typeof startEngine>[0];

/** As files that a cluster imports, by the names that its tests know. */
async function savedImages(folder: string, options: Options): Promise<readonly string[]> {
  const engine = await startEngine(options);
  try {
    await ensureBases(engine, { ...options, helm: 'compiled' });
    for (const name of imageNames) await buildImage(engine, name);
    await engine.docker('tag', tagOf('platform'), testImage('platform'));
    await buildWithPackages(engine, folder, options);
    const files = imageNames.map((name) => ({ name, file: path.join(folder, `haic-${name}.tar`) }));
    for (const { name, file } of files) await engine.docker('save', '--output', file, testImage(name));
    return files.map(({ file }) => file);
  } finally {
    await engine.stop();
  }
}

/** Pods of tests reach no index of packages, and are given what the samples need. */
async function buildWithPackages(engine: Engine, folder: string, options: Options): Promise<void> {
  const context = path.join(folder, 'with-packages');
  await mkdir(context);
  await writeWheelhouse(path.join(context, 'wheelhouse'), options);
  const dockerfile = path.join(context, 'Dockerfile');
  await writeFile(dockerfile, `FROM ${tagOf('app-runtime')}\nCOPY wheelhouse/ /${wheelhouse}/\n`);
  await build(engine, { dockerfile, tag: testImage('app-runtime'), context });
}

/** A runner of tests of its own; it would take this one for its parent. */
function outcome(
  command: string,
  args: readonly string[],
  { NODE_TEST_CONTEXT: _, ...env }: NodeJS.ProcessEnv,
): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, said }));
  });
}
