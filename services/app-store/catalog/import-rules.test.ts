import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HaicError } from '@haic/kit/errors.ts';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import type { ManifestRules } from './manifest/parse-manifest.ts';
import { checkBundle, jpeg, png, problemsOf, runtimeVersions, zipOf } from './testing.ts';
import { startTestCatalog, type TestCatalog } from './testing-server.ts';

/**
 * Every rule of contracts/app-store.md §5 and wave-app.md §1–2, once: rule → bundle that breaks it → the file and the key that the error
 * names, and what it tells one to do. The many ways of breaking each are in parse-manifest.test.ts and check-zip.test.ts.
 */
interface Broken {
  readonly app?: string;
  readonly runtime?: string;
  readonly after?: string;
  /** All of app.toml. */
  readonly toml?: string;
  readonly files?: Record<string, string | Buffer>;
  readonly rules?: Partial<ManifestRules>;
}

const link = 'InstanceLifecycle = "LINK"\n[Link]\nAddress = "https://example.com/"';
const bare = (rest: string) => `[App]\nName = "a"\nVersion = "1.0.0"\n${rest}`;

/** The rule · the bundle · file · key · a part of the remedy. */
const table: readonly [string, Broken, string, string | null, RegExp][] = [
  // §1: the bundle
  ['app.toml is TOML', { toml: 'Name =' }, 'app.toml', null, /Correct that line/],
  ['app.toml is UTF-8', { files: { 'app.toml': Buffer.from([0xff]) } }, 'app.toml', null, /Save it as UTF-8/],
  ['a PNG is a PNG', { files: { 'static/icon.png': jpeg } }, 'static/icon.png', null, /Rename it/],
  [
    'an image is an image',
    { files: { 'static/screenshot1.png': 'x' } },
    'static/screenshot1.png',
    null,
    /PNG or JPEG/,
  ],
  [
    'an icon is no SVG',
    { files: { 'static/icon.svg': '<svg/>' } },
    'static/icon.svg',
    null,
    /static\/icon\.png/,
  ],
  [
    'an icon is small',
    { files: { 'static/icon.png': Buffer.concat([png, Buffer.alloc(2 ** 21)]) } },
    'static/icon.png',
    null,
    /Make it smaller/,
  ],
  // §2: [App]
  [
    'there is an [App]',
    { toml: '[Runtime]\nModule = "a"\n' },
    'app.toml',
    'App',
    /Begin the file with \[App\]/,
  ],
  [
    'Name is required',
    { toml: '[App]\nVersion = "1"\n[Runtime]\nModule = "a"\n' },
    'app.toml',
    'App.Name',
    /Write Name/,
  ],
  [
    'Version is required',
    { toml: '[App]\nName = "a"\n[Runtime]\nModule = "a"\n' },
    'app.toml',
    'App.Version',
    /Write Version/,
  ],
  [
    'Name has the form of a label',
    { toml: bare('[Runtime]\nModule = "a"').replace('"a"', '"-a"') },
    'app.toml',
    'App.Name',
    /at most 63/,
  ],
  [
    'Version is a version',
    { toml: bare('[Runtime]\nModule = "a"').replace('1.0.0', 'newest') },
    'app.toml',
    'App.Version',
    /1\.0\.0/,
  ],
  [
    'Name and Version fit one label',
    { toml: bare('[Runtime]\nModule = "a"').replace('"a"', `"${'a'.repeat(60)}"`) },
    'app.toml',
    'App.Name',
    /at most 63/,
  ],
  [
    'LongDescription is a file of the bundle',
    { app: 'LongDescription = "about.md"' },
    'app.toml',
    'App.LongDescription',
    /Add the Markdown file/,
  ],
  [
    'LongDescription stays in the bundle',
    { app: 'LongDescription = "../about.md"' },
    'app.toml',
    'App.LongDescription',
    /a file of the bundle/,
  ],
  ['Tags are names', { app: 'Tags = [1]' }, 'app.toml', 'App.Tags', /Tags = \["NAME"/],
  [
    'InstanceLifecycle is one of three',
    { app: 'InstanceLifecycle = "PER_USER"' },
    'app.toml',
    'App.InstanceLifecycle',
    /ON_DEMAND, MANAGED, LINK/,
  ],
  [
    'InstanceTimeout is a duration',
    { app: 'InstanceTimeout = "soon"' },
    'app.toml',
    'App.InstanceTimeout',
    /"8h"/,
  ],
  // §2: [Runtime]
  ['Module is required', { toml: bare('') }, 'app.toml', 'Runtime.Module', /Module = "src\.app"/],
  [
    'Module is one',
    { toml: bare('[Runtime]\nModule = "src/app.py"') },
    'app.toml',
    'Runtime.Module',
    /without \.py/,
  ],
  [
    'RuntimeVersion is known',
    { runtime: 'RuntimeVersion = "py27"' },
    'app.toml',
    'Runtime.RuntimeVersion',
    /use one of: deb_py311/,
  ],
  [
    'RuntimeVersion is not deprecated',
    { runtime: 'RuntimeVersion = "deb_py38"' },
    'app.toml',
    'Runtime.RuntimeVersion',
    /Use one of: deb_py311/,
  ],
  [
    'RuntimeVersion is named where that is asked for',
    { rules: { requireRuntimeVersion: true } },
    'app.toml',
    'Runtime.RuntimeVersion',
    /Use one of: deb_py311/,
  ],
  [
    'the Python of RuntimeVersion is there',
    {
      rules: {
        runtimeVersions: runtimeVersions.map((version) => ({
          ...version,
          unavailable: 'Python 3.11 is not installed.',
        })),
      },
    },
    'app.toml',
    'Runtime.RuntimeVersion',
    /ask an administrator/,
  ],
  [
    'AppMode is one that there is',
    { runtime: 'AppMode = "container"' },
    'app.toml',
    'Runtime.AppMode',
    /"wave" or "python"/,
  ],
  [
    'images need a runtime with images',
    { runtime: 'CustomImage = "x"' },
    'app.toml',
    'Runtime.CustomImage',
    /Remove it/,
  ],
  ['AppArgs are of images', { runtime: 'AppArgs = ["x"]' }, 'app.toml', 'Runtime.AppArgs', /Remove it/],
  [
    'AppEntryPoint is of images',
    { runtime: 'AppEntryPoint = ["x"]' },
    'app.toml',
    'Runtime.AppEntryPoint',
    /Remove it/,
  ],
  [
    'Port is free for apps',
    { runtime: 'AppMode = "python"\nPort = 80' },
    'app.toml',
    'Runtime.Port',
    /1024 to 65535/,
  ],
  [
    'RoutingMode is one of two',
    { runtime: 'RoutingMode = "PATH"' },
    'app.toml',
    'Runtime.RoutingMode',
    /DOMAIN, BASE_URL/,
  ],
  [
    'EnableOIDC is true or false',
    { runtime: 'EnableOIDC = "yes"' },
    'app.toml',
    'Runtime.EnableOIDC',
    /EnableOIDC = true/,
  ],
  [
    'EnableSHM is true or false',
    { runtime: 'EnableSHM = 1' },
    'app.toml',
    'Runtime.EnableSHM',
    /EnableSHM = true/,
  ],
  [
    'VolumeMount is an absolute path',
    { runtime: 'VolumeMount = "data"' },
    'app.toml',
    'Runtime.VolumeMount',
    /"\/data"/,
  ],
  [
    'VolumeMount is no folder of the bundle',
    { runtime: 'VolumeMount = "/app/data"' },
    'app.toml',
    'Runtime.VolumeMount',
    /"\/data"/,
  ],
  [
    'VolumeMount is none of the platform',
    { runtime: 'VolumeMount = "/resources/x"' },
    'app.toml',
    'Runtime.VolumeMount',
    /"\/data"/,
  ],
  [
    'VolumeSize belongs to a volume',
    { runtime: 'VolumeSize = "1Gi"' },
    'app.toml',
    'Runtime.VolumeSize',
    /VolumeMount = /,
  ],
  [
    'VolumeSize is a quantity',
    { runtime: 'VolumeMount = "/data"\nVolumeSize = "big"' },
    'app.toml',
    'Runtime.VolumeSize',
    /"500Mi"/,
  ],
  [
    'ResourceVolumeSize is a quantity',
    { runtime: 'ResourceVolumeSize = "big"' },
    'app.toml',
    'Runtime.ResourceVolumeSize',
    /"500Mi"/,
  ],
  [
    'MemoryLimit is a quantity',
    { runtime: 'MemoryLimit = "2 GB"' },
    'app.toml',
    'Runtime.MemoryLimit',
    /"2Gi"/,
  ],
  [
    'MemoryReservation fits the limit',
    { runtime: 'MemoryLimit = "1Gi"\nMemoryReservation = "2Gi"' },
    'app.toml',
    'Runtime.MemoryReservation',
    /at most MemoryLimit/,
  ],
  ['CPULimit is a quantity', { runtime: 'CPULimit = "two"' }, 'app.toml', 'Runtime.CPULimit', /"1\.5"/],
  [
    'CPUReservation fits the limit',
    { runtime: 'CPULimit = "1"\nCPUReservation = "2"' },
    'app.toml',
    'Runtime.CPUReservation',
    /at most CPULimit/,
  ],
  ['GPUs need a runtime with GPUs', { runtime: 'GPUCount = 1' }, 'app.toml', 'Runtime.GPUCount', /Remove it/],
  ['GPUType is allowed', { runtime: 'GPUType = "a100"' }, 'app.toml', 'Runtime.GPUType', /Remove it/],
  // §2: [[Env]] and [[File]]
  ['an Env has a name', { after: '[[Env]]\nValue = "x"' }, 'app.toml', 'Env[1].Name', /Write Name/],
  [
    'an Env has the name of a variable',
    { after: '[[Env]]\nName = "1A"\nValue = "x"' },
    'app.toml',
    'Env[1].Name',
    /Use A-Z a-z 0-9 _ \. -, no digit/,
  ],
  [
    'an Env is none of the platform',
    { after: '[[Env]]\nName = "H2O_CLOUD_X"\nValue = "x"' },
    'app.toml',
    'Env[1].Name',
    /another name/,
  ],
  [
    'an Env is none of waved',
    { after: '[[Env]]\nName = "H2O_WAVE_LISTEN"\nValue = "x"' },
    'app.toml',
    'Env[1].Name',
    /administrator may allow/,
  ],
  [
    'an Env of waved is on the list',
    { rules: { allowedCoreEnv: [] }, after: '[[Env]]\nName = "H2O_WAVE_NO_STORE"\nValue = "x"' },
    'app.toml',
    'Env[1].Name',
    /administrator may allow/,
  ],
  ['an Env has a value', { after: '[[Env]]\nName = "A"' }, 'app.toml', 'Env[1].Value', /Write Value/],
  [
    'a value is no secret',
    { after: '[[Env]]\nName = "A"\nValue = "x"\nSecret = "s"\nSecretKey = "k"' },
    'app.toml',
    'Env[1].Value',
    /Keep either/,
  ],
  [
    'a secret has a name of its form',
    { after: '[[Env]]\nName = "A"\nSecret = "S_S"\nSecretKey = "k"' },
    'app.toml',
    'Env[1].Secret',
    /a-z 0-9/,
  ],
  [
    'a secret has a key',
    { after: '[[Env]]\nName = "A"\nSecret = "s"' },
    'app.toml',
    'Env[1].SecretKey',
    /at most 253/,
  ],
  [
    'a secret exists unless Optional',
    { after: '[[Env]]\nName = "A"\nSecret = "s"\nSecretKey = "k"' },
    'app.toml',
    'Env[1].Secret',
    /Optional = true/,
  ],
  [
    'Optional belongs to a secret',
    { after: '[[Env]]\nName = "A"\nValue = "x"\nOptional = true' },
    'app.toml',
    'Env[1].Optional',
    /Remove it/,
  ],
  ['a File has a path', { after: '[[File]]\nValue = "x"' }, 'app.toml', 'File[1].Path', /Write Path/],
  [
    'a File is in a sub-folder',
    { after: '[[File]]\nPath = "x"\nValue = "x"' },
    'app.toml',
    'File[1].Path',
    /config\/settings\.json/,
  ],
  [
    'a File is not in /resources',
    { after: '[[File]]\nPath = "/resources/x"\nValue = "x"' },
    'app.toml',
    'File[1].Path',
    /config\/settings\.json/,
  ],
  [
    'a File has a folder of its own',
    { after: '[[File]]\nPath = "a/x"\nValue = "x"\n[[File]]\nPath = "a/y"\nValue = "x"' },
    'app.toml',
    'File[2].Path',
    /folder of its own/,
  ],
  // §2: [Link]
  [
    'a LINK has an address',
    { toml: bare('InstanceLifecycle = "LINK"') },
    'app.toml',
    'Link.Address',
    /full URL/,
  ],
  [
    'a LINK opens a web page',
    { toml: bare(link).replace('https://example.com/', 'file:///etc/passwd') },
    'app.toml',
    'Link.Address',
    /https:\/\/example\.com/,
  ],
  [
    'a LINK runs nothing',
    { toml: bare(`${link}\n[Runtime]\nModule = "a"`) },
    'app.toml',
    'Runtime',
    /Remove it/,
  ],
  [
    'a LINK has no files',
    { toml: bare(`${link}\n[[File]]\nPath = "a/b"\nValue = "x"`) },
    'app.toml',
    'File',
    /Remove it/,
  ],
  [
    'an address is of a LINK',
    { after: '[Link]\nAddress = "https://example.com/"' },
    'app.toml',
    'Link.Address',
    /InstanceLifecycle = "LINK"/,
  ],
];

const zipWith = ({ app = '', runtime = '', after: rest = '', toml, files }: Broken) =>
  zipOf({
    'app.toml': toml ?? bare(`${app}\n[Runtime]\nModule = "app"\n${runtime}\n${rest}\n`),
    'app.py': 'x',
    ...files,
  });

describe('an import is refused with file, key and remedy where', () => {
  for (const [rule, broken, file, key, remedy] of table)
    it(`not: ${rule}`, async () => {
      const { rules } = broken;
      await assert.rejects(
        checkBundle(await zipWith(broken), rules === undefined ? {} : { rules }),
        (error) => {
          assert.ok(error instanceof HaicError, String(error));
          assert.equal(error.code, 'bundle_invalid');
          const found = problemsOf(error);
          assert.deepEqual([found[0]?.file, found[0]?.key], [file, key]);
          assert.match(found[0]?.remedy ?? '', remedy);
          assert.notEqual(found[0]?.message, '');
          return true;
        },
      );
    });

  it('not: app.toml is at the root', async () => {
    const zip = await zipOf({ 'folder/app.toml': bare('') });
    await assert.rejects(checkBundle(zip), /at the root.*Zip what is in the folder/s);
  });

  it('a bundle that keeps every rule is taken', async () => {
    const { manifest } = await checkBundle(await zipWith({}));
    assert.equal(manifest.name, 'a');
  });
});

describe('an import is refused by what is in the store already', () => {
  let started: TestCatalog;
  before(async () => {
    started = await startTestCatalog(createFilesystemBlobStore, { versionLimit: 2 });
  });
  after(() => started.stop());
  const importAs = async (token: string, version: string) =>
    started.importBytes(
      await zipWith({ toml: bare('[Runtime]\nModule = "a"').replace('1.0.0', version) }),
      token,
    );

  it('the same name and version, and one version too many', async () => {
    assert.equal((await importAs('anna/user/portal', '1.0.0')).status, 201);
    const again = await importAs('otto/user/portal', '1.0.0');
    assert.deepEqual([again.status, again.json.code], [409, 'app_exists']);
    assert.match(again.json.detail, /Raise Version in app\.toml/);
    assert.equal((await importAs('anna/user/portal', '1.1.0')).status, 201);
    const third = await importAs('anna/user/portal', '1.2.0');
    assert.deepEqual([third.status, third.json.code], [409, 'app_version_limit_reached']);
    assert.match(third.json.detail, /Delete one .*the oldest is 1\.0\.0/);
  });
});
