import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HaicError } from '@haic/kit/errors.ts';
import { helloToml, problemsOf, runtimeVersions } from '../testing.ts';
import { type ManifestRules, parseManifest } from './parse-manifest.ts';

const parse = (text: string, more: Partial<ManifestRules> = {}) =>
  parseManifest(text, { runtimeVersions, ...more });

/** A manifest with these lines in [App], [Runtime] and after it. */
const tomlWith = (options: { app?: string; runtime?: string; after?: string }) =>
  `[App]\nName = "x.y"\nVersion = "1.2.3"\n${options.app ?? ''}\n[Runtime]\nModule = "app"\n${options.runtime ?? ''}\n${options.after ?? ''}\n`;

function refused(text: string, key: string | null, expected: RegExp): void {
  assert.throws(
    () => parse(text),
    (error) => {
      assert.ok(error instanceof HaicError, String(error));
      assert.deepEqual([error.code, error.status], ['bundle_invalid', 400]);
      const found = problemsOf(error).find((problem) => problem.key === key);
      assert.ok(found !== undefined, `no problem with ${key}: ${error.message}`);
      assert.equal(found.file, 'app.toml');
      assert.match(`${found.message} ${found.remedy}`, expected);
      assert.notEqual(found.remedy, '');
      return true;
    },
  );
}

describe('app.toml', () => {
  it('is read with its defaults', () => {
    const manifest = parse(helloToml);
    assert.deepEqual(
      { ...manifest, runtime: { ...manifest.runtime } },
      {
        name: 'ai.haic.hello',
        version: '1.0.0',
        title: 'Hello',
        description: '',
        longDescriptionPath: undefined,
        tags: [],
        lifecycle: 'ON_DEMAND',
        instanceTimeout: undefined,
        env: [],
        files: [],
        linkAddress: undefined,
        runtime: {
          module: 'app',
          runtimeVersion: 'deb_py311',
          mode: 'wave',
          routingMode: 'DOMAIN',
          port: undefined,
          oidc: false,
          sharedMemory: false,
          volumeMount: undefined,
          volumeSize: undefined,
          resourceVolumeSize: undefined,
          memoryLimit: undefined,
          memoryReservation: undefined,
          cpuLimit: undefined,
          cpuReservation: undefined,
        },
      },
    );
  });

  it('is read whole', () => {
    const manifest = parse(
      tomlWith({
        app: 'Title = "T"\nDescription = "a\\n  b"\nLongDescription = "./x/about.md"\nTags = ["A", "B b", "A"]\nInstanceLifecycle = "Managed"\nInstanceTimeout = "1h30m"\nCategory = "old"\nKeywords = ["k"]',
        runtime:
          'AppMode = "Python"\nPort = 8888\nRuntimeVersion = "deb11_py310_wlatest"\nRoutingMode = "base_url"\nEnableOIDC = true\nEnableSHM = true\nVolumeMount = "/meta_data/"\nVolumeSize = "1Gi"\nResourceVolumeSize = "2G"\nMemoryLimit = "1.5Gi"\nMemoryReservation = "500Mi"\nCPULimit = "1.5"\nCPUReservation = "500m"\nGPUCount = 0',
        after:
          '[[File]]\nPath = "config/a.json"\nValue = "{}"\n[[File]]\nPath = "/data2/b"\nSecret = "s.t-1"\nSecretKey = "k"',
      }),
    );
    assert.equal(manifest.description, 'a b');
    assert.equal(manifest.longDescriptionPath, 'x/about.md');
    assert.deepEqual(manifest.tags, ['A', 'B b']);
    assert.equal(manifest.lifecycle, 'MANAGED');
    assert.equal(manifest.instanceTimeout, 5400);
    assert.deepEqual(manifest.runtime, {
      module: 'app',
      runtimeVersion: 'deb_py311',
      mode: 'python',
      routingMode: 'BASE_URL',
      port: 8888,
      oidc: true,
      sharedMemory: true,
      volumeMount: '/meta_data',
      volumeSize: 2 ** 30,
      resourceVolumeSize: 2e9,
      memoryLimit: 1.5 * 2 ** 30,
      memoryReservation: 500 * 2 ** 20,
      cpuLimit: 1500,
      cpuReservation: 500,
    });
    assert.deepEqual(manifest.files, [
      { path: 'config/a.json', from: { kind: 'literal', value: '{}' } },
      { path: '/data2/b', from: { kind: 'secret', secret: 's.t-1', key: 'k', optional: false } },
    ]);
  });

  it('does not mind the case of keys, nor tables and keys it does not know', () => {
    const manifest = parse(
      '[app]\nname = "a"\nversion = "1.0"\ntitle = "t"\nSetupGuide = "x"\nnumber = 123456789012345678901\n[RUNTIME]\nmodule = "m"\nPackageManager = "conda"\n[Brand]\nLogo = "x"\n[[Data]]\na = 1979-05-27\n[Model.deep.er]\nx = [[1]]',
    );
    assert.equal(manifest.title, 't');
    assert.equal(manifest.runtime.module, 'm');
  });

  it('refuses a key that is written twice in two cases', () =>
    refused(tomlWith({ app: 'Title = "a"\ntitle = "b"' }), 'App.title', /also written as "Title"/));

  it('names line and column of what is no TOML', () => {
    refused('[App]\nName = \n', null, /line 2, column \d+/);
    refused('Name "x"', null, /line 1/);
    refused('\u0000', null, /not valid TOML/);
    refused(`a = ${'['.repeat(1000)}`, null, /nested/);
    refused('a = 1\na = 2', null, /line 2/);
  });

  it('is not fooled by __proto__ and its like', () => {
    const manifest = parse(
      `${helloToml}\n[__proto__]\npolluted = true\nName = "evil"\n[constructor.prototype]\nx = 1\n`,
    );
    assert.equal(manifest.name, 'ai.haic.hello');
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
    refused('[__proto__]\nApp = {Name = "x", Version = "1"}', 'App', /missing/);
    refused('[App.__proto__]\nName = "x"\nVersion = "1"', 'App.Name', /missing/);
  });

  it('says all that is wrong at once', () => {
    assert.throws(
      () =>
        parse(
          '[App]\nName = "-x"\nVersion = "latest"\n[Runtime]\nModule = "-c"\nGPUCount = -1\nMemoryLimit = "1e99Gi"',
        ),
      (error) => {
        assert.ok(error instanceof HaicError);
        assert.deepEqual(
          problemsOf(error).map((problem) => problem.key),
          ['App.Name', 'App.Version', 'Runtime.GPUCount', 'Runtime.Module', 'Runtime.MemoryLimit'],
        );
        return true;
      },
    );
  });

  const name = (value: string) => `[App]\nName = ${value}\nVersion = "1"\n[Runtime]\nModule = "a"`;
  const version = (value: string) => `[App]\nName = "a"\nVersion = ${value}\n[Runtime]\nModule = "a"`;
  const env = (lines: string) => tomlWith({ after: `[[Env]]\n${lines}` });
  const file = (lines: string) => tomlWith({ after: `[[File]]\n${lines}` });
  const runtime = (lines: string) => tomlWith({ runtime: lines });
  const link = (lines: string) => `[App]\nName = "a"\nVersion = "1"\nInstanceLifecycle = "link"\n${lines}`;

  const rules: [string, string, string, RegExp][] = [
    ['a missing [App]', 'x = 1', 'App', /missing/],
    ['an App that is no table', 'App = 1', 'App', /a number, not a table/],
    ['a missing name', '[App]\nVersion = "1"', 'App.Name', /missing/],
    ['an empty name', name('""'), 'App.Name', /missing/],
    ['a name of 64 characters', name(`"${'a'.repeat(64)}"`), 'App.Name', /at most 63/],
    ['a giant name', name(`"${'a'.repeat(500_000)}"`), 'App.Name', /500000 characters/],
    ['a name with a line break', name('"a\\nb"'), 'App.Name', /line breaks/],
    ['a name with a slash', name('"a/b"'), 'App.Name', /not allowed/],
    ['a name that ends in a dot', name('"a."'), 'App.Name', /not allowed/],
    ['a number as name', name('5'), 'App.Name', /a number, not a string/],
    ['a version with a space', version('"1 0"'), 'App.Version', /not allowed/],
    ['a version that is none', version('"latest"'), 'App.Version', /not a version/],
    ['a number as version', version('1.0'), 'App.Version', /not a string/],
    [
      'name and version too long together',
      `[App]\nName = "${'a'.repeat(60)}"\nVersion = "1.0.0"\n[Runtime]\nModule = "a"`,
      'App.Name',
      /together have 66/,
    ],
    [
      'a title with a bidirectional override',
      tomlWith({ app: 'Title = "\u202eevil"' }),
      'App.Title',
      /invisible/,
    ],
    ['a giant title', tomlWith({ app: `Title = "${'a'.repeat(300)}"` }), 'App.Title', /300 characters/],
    [
      'a giant description',
      tomlWith({ app: `Description = "${'a'.repeat(3000)}"` }),
      'App.Description',
      /3000/,
    ],
    ['a description with a NUL', tomlWith({ app: 'Description = "a\\u0000"' }), 'App.Description', /NUL/],
    [
      'a long description elsewhere',
      tomlWith({ app: 'LongDescription = "../../etc/passwd"' }),
      'App.LongDescription',
      /leads out/,
    ],
    ['tags that are no list', tomlWith({ app: 'Tags = "a"' }), 'App.Tags', /list of tag names/],
    [
      'an unknown lifecycle',
      tomlWith({ app: 'InstanceLifecycle = "PER_USER"' }),
      'App.InstanceLifecycle',
      /ON_DEMAND, MANAGED, LINK/,
    ],
    [
      'a timeout without a unit',
      tomlWith({ app: 'InstanceTimeout = "8"' }),
      'App.InstanceTimeout',
      /not a duration/,
    ],
    ['a missing module', '[App]\nName = "a"\nVersion = "1"', 'Runtime.Module', /missing/],
    [
      'a module named -c',
      '[App]\nName = "a"\nVersion = "1"\n[Runtime]\nModule = "-c"',
      'Runtime.Module',
      /not a Python module/,
    ],
    [
      'a module with a suffix and a path',
      '[App]\nName = "a"\nVersion = "1"\n[Runtime]\nModule = "src/app.py"',
      'Runtime.Module',
      /without \.py/,
    ],
    [
      'an unknown runtime version',
      runtime('RuntimeVersion = "py27"'),
      'Runtime.RuntimeVersion',
      /use one of: deb_py311, deb11_py310_wlatest/,
    ],
    [
      'a deprecated runtime version',
      runtime('RuntimeVersion = "deb_py38"'),
      'Runtime.RuntimeVersion',
      /deprecated/,
    ],
    [
      'container mode',
      runtime('AppMode = "container"'),
      'Runtime.AppMode',
      /not provided by this installation's runtime/,
    ],
    ['a custom image', runtime('CustomImage = "x"'), 'Runtime.CustomImage', /not provided/],
    ['GPUs', runtime('GPUCount = 1'), 'Runtime.GPUCount', /not provided/],
    ['less than no GPU', runtime('GPUCount = -1'), 'Runtime.GPUCount', /less than 0/],
    ['a kind of GPU', runtime('GPUType = "a100"'), 'Runtime.GPUType', /not provided/],
    ['a word where a boolean belongs', runtime('EnableOIDC = "yes"'), 'Runtime.EnableOIDC', /true or false/],
    ['an unknown routing mode', runtime('RoutingMode = "PATH"'), 'Runtime.RoutingMode', /DOMAIN, BASE_URL/],
    ['port 80', runtime('AppMode = "python"\nPort = 80'), 'Runtime.Port', /1024/],
    [
      'a memory limit beyond all measure',
      runtime('MemoryLimit = "1e99Gi"'),
      'Runtime.MemoryLimit',
      /not a quantity/,
    ],
    ['a memory limit of 1e99', runtime('MemoryLimit = "1e99"'), 'Runtime.MemoryLimit', /more than 1Pi/],
    [
      'a memory limit of half a byte',
      runtime('MemoryLimit = "500m"'),
      'Runtime.MemoryLimit',
      /less than 1Mi/,
    ],
    ['a negative memory limit', runtime('MemoryLimit = "-1Gi"'), 'Runtime.MemoryLimit', /not a quantity/],
    [
      'more memory reserved than allowed',
      runtime('MemoryLimit = "1Gi"\nMemoryReservation = "2Gi"'),
      'Runtime.MemoryReservation',
      /more than MemoryLimit/,
    ],
    ['no CPU', runtime('CPULimit = "0"'), 'Runtime.CPULimit', /between/],
    ['a volume size without a volume', runtime('VolumeSize = "1Gi"'), 'Runtime.VolumeSize', /no VolumeMount/],
    ['a variable without a name', env('Value = "x"'), 'Env[1].Name', /missing/],
    ['a variable with = in its name', env('Name = "a=b"\nValue = "x"'), 'Env[1].Name', /not the name/],
    [
      'a variable of the platform',
      env('Name = "H2O_CLOUD_X"\nValue = "x"'),
      'Env[1].Name',
      /set by the platform/,
    ],
    [
      'a reserved variable of waved',
      env('Name = "H2O_WAVE_OIDC_CLIENT_ID"\nValue = "x"'),
      'Env[1].Name',
      /reserved/,
    ],
    ['a variable with a NUL', env('Name = "A"\nValue = "\\u0000"'), 'Env[1].Value', /NUL/],
    ['a variable without a value', env('Name = "A"'), 'Env[1].Value', /neither/],
    ['a value and a secret', env('Name = "A"\nValue = "x"\nSecret = "s"'), 'Env[1].Value', /Secret too/],
    ['a secret without a key', env('Name = "A"\nSecret = "s"'), 'Env[1].SecretKey', /not a key/],
    [
      'a secret of another name',
      env('Name = "A"\nSecret = "A_B"\nSecretKey = "k"'),
      'Env[1].Secret',
      /not the name/,
    ],
    [
      'a secret of something else than a workspace',
      env('Name = "A"\nSecret = "teams/x/secrets/y"\nSecretKey = "k"'),
      'Env[1].Secret',
      /workspaces\/<id>\/secrets\/<name>/,
    ],
    [
      'an optional value',
      env('Name = "A"\nValue = "x"\nOptional = true'),
      'Env[1].Optional',
      /belongs to a Secret/,
    ],
    [
      'a value too long for a variable',
      env(`Name = "A"\nValue = "${'x'.repeat(130_000)}"`),
      'Env[1].Value',
      /too long/,
    ],
    ...['1A', 'A B', 'A=B', '.', '..a', 'Ä', 'a'.repeat(201)].map((no): [string, string, string, RegExp] => [
      ...([`a variable named ${no.slice(0, 10)}`, env(`Name = "${no}"\nValue = "x"`)] as const),
      ...(['Env[1].Name', /is not the name of a variable/] as const),
    ]),
    ['[Env] for [[Env]]', tomlWith({ after: '[Env]\nName = "A"' }), 'Env', /\[\[Env\]\]/],
    ['an Env of numbers', `Env = [1]\n${helloToml}`, 'Env[1]', /not a table/],
    ['a file without a path', file('Value = "x"'), 'File[1].Path', /missing/],
    ['a file at the root of the app', file('Path = "x.json"\nValue = "x"'), 'File[1].Path', /no sub-folder/],
    [
      'a file at the root of the app, by its full path',
      file('Path = "/app/x.json"\nValue = "x"'),
      'File[1].Path',
      /no sub-folder/,
    ],
    ['a file at the root', file('Path = "/x.json"\nValue = "x"'), 'File[1].Path', /no sub-folder/],
    ['a file that leads out', file('Path = "a/../../etc/x"\nValue = "x"'), 'File[1].Path', /not the path/],
    [
      'a file among the resources',
      file('Path = "/resources/x"\nValue = "x"'),
      'File[1].Path',
      /platform needs/,
    ],
    [
      'a file of the system',
      file('Path = "/etc/ld.so.preload"\nValue = "x"'),
      'File[1].Path',
      /platform needs/,
    ],
    [
      'two files of one folder',
      file('Path = "a/x"\nValue = "x"\n[[File]]\nPath = "/app/a/./y"\nValue = "y"'),
      'File[2].Path',
      /folder of "\/app\/a\/y"/,
    ],
    ['a link without an address', link(''), 'Link.Address', /missing/],
    [
      'a link that runs',
      link('[Link]\nAddress = "https://x.y"\n[Runtime]\nModule = "a"'),
      'Runtime',
      /LINK app has none/,
    ],
    [
      'a link with files',
      link('[Link]\nAddress = "https://x.y"\n[[File]]\nPath = "a/b"\nValue = ""'),
      'File',
      /LINK app has none/,
    ],
    ['a link that is script', link('[Link]\nAddress = "javascript:alert(1)"'), 'Link.Address', /not an http/],
    ['a link with a password', link('[Link]\nAddress = "https://u:p@x.y"'), 'Link.Address', /not an http/],
    [
      'an address of an app that is no link',
      tomlWith({ after: '[Link]\nAddress = "https://x.y"' }),
      'Link.Address',
      /Only LINK apps/,
    ],
  ];
  for (const [what, text, key, expected] of rules) it(`refuses ${what}`, () => refused(text, key, expected));

  for (const path of [
    '/',
    '/etc',
    '/etc/x',
    '/usr/lib',
    '/app',
    '/app/data',
    '/resources',
    '/proc/1',
    '/sys',
    '/dev/shm',
    '/var/run',
    '/tmp',
    '/opt/haic/x',
    '/opt',
    '/home',
    'data',
    './data',
    '/data/../etc',
    '/data/./x',
    '//data',
    '/da ta',
    '/data:ro',
    '/data\\nx',
  ])
    it(`refuses the volume ${path}`, () =>
      refused(
        runtime(`VolumeMount = "${path}"`),
        'Runtime.VolumeMount',
        /VolumeMount = "\/data"|line breaks/,
      ));

  for (const path of ['/data', '/mnt/data', '/home/me', '/workspace', '/meta_data', '/application', '/apps'])
    it(`takes the volume ${path}`, () =>
      assert.equal(parse(runtime(`VolumeMount = "${path}"`)).runtime.volumeMount, path));

  it('lets the last of several variables of one name win', () => {
    const { env: variables } = parse(
      tomlWith({
        after:
          '[[Env]]\nName = "A"\nValue = "1"\n[[Env]]\nName = "B"\nValue = 2\n[[Env]]\nname = "A"\nvalue = "3"',
      }),
    );
    assert.deepEqual(variables, [
      { name: 'A', from: { kind: 'literal', value: '3' } },
      { name: 'B', from: { kind: 'literal', value: '2' } },
    ]);
  });

  it('takes variables with dots and dashes in their names, as Kubernetes does', () => {
    for (const name of ['spring.data-source.url', '.hidden', '-x', '_', 'a'.repeat(200)])
      assert.equal(parse(env(`Name = "${name}"\nValue = "x"`)).env[0]?.name, name);
  });

  it('takes the variables of waved that the default list allows', () => {
    for (const allowed of [
      'H2O_WAVE_APP_MODE',
      'H2O_WAVE_PUBLIC_DIR',
      'H2O_WAVE_ML_X',
      'H2O_WAVE_MAX_REQUEST_SIZE',
      'MY_H2O_CLOUD',
    ])
      assert.equal(parse(env(`Name = "${allowed}"\nValue = "x"`)).env[0]?.name, allowed);
  });

  it('takes a link', () => {
    const manifest = parse(link('[Link]\nAddress = "https://example.com/a?b"'));
    assert.equal(manifest.linkAddress, 'https://example.com/a?b');
    assert.equal(manifest.runtime.module, undefined);
  });

  for (const value of ['1.0', '0.0.1', '2024.1.0.3', '1.0.0-rc.1', '1.0.0-20240101120000', 'v1.2.3', '1'])
    it(`takes the version ${value}`, () => assert.equal(parse(version(`"${value}"`)).version, value));
});
