import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFile, chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ImageName, imageNames, images } from '@haic/cli/images/images.ts';
import { ensureTestImage, testImage } from '@haic/cli/images/test-image.ts';
import { haicVersion } from '@haic/kit/version.ts';
import { startEmbeddedPostgres } from '@haic/platform/database/embedded/server.ts';
import { whyNotHere } from '@haic/test-cluster/cluster.ts';
import { ensureBases } from './bases.ts';
import { build, buildImage, dockerfileOf, instructionsIn, tagOf } from './builds.ts';
import { contentsBelow, type EntryWithContent, entriesBelow, unpack } from './contents.ts';
import { type Engine, startEngine } from './engine.ts';

const clone = fileURLToPath(new URL('../../../', import.meta.url));
const full = process.env.HAIC_TEST_SIZE === 'full';
const cacheDirectory = process.env.HAIC_CACHE ?? '/var/cache/haic';

/** Compiling Helm takes minutes, once: in the ci size the build is given the one that the test cluster has of the same go.mod. */
const helm = full ? 'compiled' : 'built before';

describe('the images, built from their Dockerfiles by Docker', { skip: whyNotHere() ?? false }, () => {
  let engine: Engine;
  let folder: string;
  /** Of each image: `/` as it was built, and as tests in a cluster have it. */
  const roots: Record<ImageName, { built: string; assembled: string }> = {
    platform: { built: '', assembled: '' },
    'app-runtime': { built: '', assembled: '' },
  };

  before(async () => {
    const signal = AbortSignal.timeout(full ? 3_000_000 : 450_000);
    const options = { cacheDirectory, tell: () => undefined, signal };
    folder = await mkdtemp(path.join(tmpdir(), 'haic-images-'));
    // The database below it is of another user.
    await chmod(folder, 0o711);
    engine = await startEngine(options);
    await ensureBases(engine, { ...options, helm });
    for (const name of imageNames) {
      await buildImage(engine, name);
      await engine.docker('load', '--quiet', '--input', await ensureTestImage(name, options));
      roots[name] = { built: path.join(folder, name), assembled: path.join(folder, `${name}-assembled`) };
      await unpack(engine, tagOf(name), roots[name].built);
      await unpack(engine, testImage(name), roots[name].assembled);
    }
  });
  after(async () => {
    await engine?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** In a container that may nothing that it was not given; as the chart runs it. */
  const contained = (...words: string[]) =>
    engine.docker(
      ...['run', '--rm', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
      ...words,
    );

  for (const name of imageNames)
    describe(name, () => {
      it('is found by what images of tests are found by: entry point, user, environment', async (t) => {
        const inspected = async (image: string): Promise<Configuration> =>
          JSON.parse(await engine.docker('image', 'inspect', '--format', '{{json .Config}}', image));
        const built = await inspected(tagOf(name));
        assert.deepEqual(built.Entrypoint, images[name].entrypoint);
        assert.equal(built.User, '10001:10001');
        const assembled = await inspected(testImage(name));
        for (const key of ['Entrypoint', 'User', 'Cmd', 'ExposedPorts', 'Volumes'] as const)
          assert.deepEqual(built[key] ?? null, assembled[key] ?? null, key);
        const environment = ({ Env }: Configuration) =>
          Env.filter((line) => !line.startsWith('PATH=')).sort();
        assert.deepEqual(environment(built), environment(assembled));
        const size = Number(await engine.docker('image', 'inspect', '--format', '{{.Size}}', tagOf(name)));
        t.diagnostic(
          `${name}: ${Math.round(size / 1e6)} MB, of which Haic's own ${await ownMegabytes(name)} MB`,
        );
      });

      it("has Haic's files, byte by byte, as images of tests have them", async () => {
        const [built, assembled] = await Promise.all([ownFiles('built'), ownFiles('assembled')]);
        assert.ok(built.size > 6, [...built.keys()].join());
        // Compiled twice, it is the same program and not the same bytes.
        for (const entries of [built, assembled]) {
          if (full && name === 'platform') assert.ok(entries.delete('/usr/local/bin/helm'));
        }
        assert.deepEqual(built, assembled);
      });

      it('has everything of the system that images of tests have', async () => {
        const [there, wanted] = await Promise.all([
          entriesBelow(roots[name].built, 'usr'),
          entriesBelow(roots[name].assembled, 'usr'),
        ]);
        const missing = [...wanted.keys()].filter((file) => !there.has(file) && !kept.test(file));
        assert.deepEqual(missing, []);
      });

      it('keeps nothing of how it was made, and nothing in it is its own to change', async () => {
        const entries = await entriesBelow(roots[name].built, '.');
        const left =
          /node_modules|\/npm$|^\/src|^\/image$|\.deb$|^\/var\/lib\/apt\/lists\/.|^\/var\/cache\/apt\/.*bin$/;
        assert.deepEqual(
          [...entries.keys()].filter((file) => left.test(file) && !/\/(partial|lock)$/.test(file)),
          [],
        );
        const link = /^120/;
        const open = [...entries].filter(
          ([file, { owner, mode }]) =>
            isHaics(file) && (owner !== '0:0' || (!link.test(mode) && Number.parseInt(mode, 8) & 0o022)),
        );
        assert.deepEqual(open, []);
      });

      async function ownFiles(which: 'built' | 'assembled'): Promise<Map<string, EntryWithContent>> {
        const entries = new Map<string, EntryWithContent>();
        // Packages of PyPI, for pods of tests, which reach no index.
        for (const below of ['opt', 'usr/local/bin'])
          for (const [file, entry] of await contentsBelow(roots[name][which], below))
            if (!file.startsWith('/opt/haic/wheelhouse')) entries.set(file, entry);
        return entries;
      }
      const ownMegabytes = async (image: ImageName) => {
        const below = ['opt', 'usr/local'].map((part) => path.join(roots[image].built, part));
        return (await engine.shell('du -csm "$@" | tail -1 | cut -f1', ...below)).trim();
      };
    });

  it('the platform brings a database up to date and says its version, as nobody, without a thing that it could write to', async () => {
    assert.equal((await contained('--network', 'none', tagOf('platform'), '--version')).trim(), haicVersion);
    const database = await startEmbeddedPostgres({
      cacheDirectory,
      dataDirectory: path.join(folder, 'database'),
      logFile: path.join(folder, 'database.log'),
      password: randomBytes(12).toString('hex'),
      preferredPort: 0,
      durable: false,
      signal: AbortSignal.timeout(60_000),
    });
    try {
      const words = ['--network', 'host', '--env', `HAIC_DATABASE_URL=${database.url}`, tagOf('platform')];
      const migrated = (await contained(...words, 'migrate')).trim().split('\n');
      assert.ok(migrated.length > 10 && migrated.every((line) => /^\w+\/[\w-]+/.test(line)), migrated.join());
      assert.equal(await contained(...words, 'migrate'), '');
    } finally {
      await database.stop();
    }
    const [version, pinned] = await Promise.all([
      contained('--network', 'none', '--entrypoint', 'helm', tagOf('platform'), 'version', '--short'),
      contained('--network', 'none', '--entrypoint', 'helm', testImage('platform'), 'version', '--short'),
    ]);
    assert.equal(version, pinned);
    assert.match(version, /^v3\.\d+\.\d+/);
  });

  it('the image of apps has a launcher that says what it was not told, an uv and a Python that run', async () => {
    const image = tagOf('app-runtime');
    await assert.rejects(contained('--network', 'none', image), /HAIC_\w+/);
    const inImage = (program: string, ...words: string[]) =>
      contained('--network', 'none', '--entrypoint', program, image, ...words);
    assert.match(await inImage('/usr/local/bin/uv', '--version'), /^uv \d/);
    const modules = 'import ssl, sqlite3, ctypes, lzma, bz2, venv; print(ssl.OPENSSL_VERSION)';
    assert.match(await inImage('python3', '-c', modules), /^OpenSSL 3/);
  });

  it('is sent the sources, and nothing else that lies in a clone; after a change of them nothing is installed again', async (t) => {
    const context = path.join(folder, 'context');
    await copyOfClone(context);
    const strange = [
      '.env',
      'master-key',
      'backup.haic',
      'values.yaml',
      'secrets/key',
      'node_modules/a/b.js',
    ];
    const within = [
      'apps/server/.env',
      'apps/web/node_modules/a.js',
      'kit/.npmrc',
      'apps/web/dist/index.html',
    ];
    for (const file of [...strange, ...within, '.git/config', 'deploy/charts/haic/own.yaml']) {
      await mkdir(path.dirname(path.join(context, file)), { recursive: true });
      await writeFile(path.join(context, file), 'secret');
    }
    const dockerfile = path.join(folder, 'context.Dockerfile');
    await writeFile(dockerfile, 'FROM debian:bookworm-slim\nCOPY . /context/\n');
    await build(engine, { dockerfile, tag: 'haic-context', context });
    const root = path.join(folder, 'sent');
    await unpack(engine, 'haic-context', root);
    const kilobytes = (
      await engine.shell('du -sk --apparent-size "$1" | cut -f1', path.join(root, 'context'))
    ).trim();
    t.diagnostic(`the context: ${kilobytes} kB`);
    const sent = [...(await entriesBelow(root, 'context')).keys()];
    assert.ok(sent.includes('/context/apps/cli/images/assemble.ts'));
    const secrets = new RegExp(`^/context/(${[...strange, ...within].join('|').replaceAll('.', '\\.')})$`);
    assert.deepEqual(
      sent.filter((file) => secrets.test(file)),
      [],
    );
    assert.deepEqual(
      sent.filter((file) => /\/(\.[^/]+|node_modules|dist|own\.yaml|[^/]+\.test\.ts)$/.test(file)),
      [],
    );

    // Never the same: layers of an earlier run are there as well.
    await appendFile(path.join(context, 'apps/launcher/main.ts'), `// ${randomBytes(8).toString('hex')}\n`);
    const log = await build(engine, {
      dockerfile: dockerfileOf('app-runtime'),
      tag: 'haic-changed',
      context,
    });
    const { done, cached } = instructionsIn(log);
    const installing = (lines: string[]) => lines.filter((line) => /npm ci|apt-get/.test(line)).length;
    assert.equal(installing(cached), 3, log);
    assert.equal(installing(done), 0, log);
    assert.ok(
      done.some((line) => line.includes('assemble-main.ts')),
      log,
    );
  });

  it("is built by Docker's builder before BuildKit to the same files", {
    skip: full ? false : 'it keeps layers of its own, and so installs and compiles all again: --size full',
  }, async () => {
    for (const name of imageNames) {
      const tag = `haic-classic-${name}`;
      const log = await build(engine, { dockerfile: dockerfileOf(name), tag, classic: true });
      assert.match(log, /^Step 1\/\d+/m);
      const root = path.join(folder, tag);
      await unpack(engine, tag, root);
      for (const below of ['opt', 'usr/local'])
        assert.deepEqual(await contentsBelow(root, below), await contentsBelow(roots[name].built, below));
      await engine.docker('image', 'rm', tag);
    }
    // Stages that have no name are layers all the same, and gigabytes.
    await engine.docker('image', 'prune', '--force');
  });
});

interface Configuration {
  readonly Entrypoint: readonly string[] | null;
  readonly Cmd: readonly string[] | null;
  readonly User: string;
  readonly Env: readonly string[];
  readonly ExposedPorts?: unknown;
  readonly Volumes?: unknown;
}

const isHaics = (file: string): boolean => /^\/(opt|usr\/local\/bin)\//.test(file);

/** What a Debian of Docker Hub leaves out, and what the scripts of packages move. */
const kept = /^\/usr\/(share\/(man|doc|info|locale|lintian|bash-completion)|local\/)/;

/** As git has it, and so without what was installed or built in it. */
async function copyOfClone(target: string): Promise<void> {
  const filter = (file: string) => !/(^|\/)(node_modules|dist|\.git)$/.test(path.relative(clone, file));
  await cp(clone, target, { recursive: true, filter });
}
