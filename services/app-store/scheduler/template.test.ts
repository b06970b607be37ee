import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { App } from '../catalog/client.ts';
import type { LauncherConfig } from './launcher-config.ts';
import type { InstanceIdentity } from './model.ts';
import { annotationsOf, identityOf } from './model.ts';
import { singlePythonVersions } from './runtime-versions.ts';
import { instanceKey } from './signature.ts';
import { checkedMountPath, workloadOf } from './template.ts';
import { exampleApp, issuer, masterKey, people, publicUrl } from './testing.ts';

const id = '22222222-2222-4222-8222-222222222222';
const settings = {
  publicUrl,
  issuer,
  masterKey,
  launcher: { image: 'app-runtime', command: ['node', 'launcher.mjs'] },
  installer: { socket: '/opt/haic/installer/installer.sock' },
  network: { pypiIndex: 'https://pypi.example/simple' },
  runtimeVersions: singlePythonVersions('3.11'),
  defaultMemoryLimit: 2 * 1024 ** 3,
};
const client = { clientId: `haic-app-${id}`, clientSecret: 'the-client-secret' };

const instanceOf = (app: App, changes: Partial<InstanceIdentity> = {}): InstanceIdentity => ({
  id,
  app: {
    id: app.id,
    name: app.manifest.name,
    version: app.manifest.version,
    title: app.manifest.title,
    mode: app.manifest.runtime.mode,
    owner: app.owner.subject,
  },
  owner: { subject: people.owner.subject, username: 'owner' },
  visibility: 'PRIVATE',
  routingMode: app.manifest.runtime.routingMode,
  oidc: app.manifest.runtime.oidc,
  createdAt: '2026-01-01T10:00:00.000Z',
  suspendAfter: 28_800,
  keySeed: undefined,
  suspendAt: '2026-01-01T18:00:00.000Z',
  pausedBy: undefined,
  resumedAt: undefined,
  updatedAt: '2026-01-01T10:00:00.000Z',
  ...changes,
});
const build = (app: App, changes: Partial<InstanceIdentity> = {}) => {
  const spec = workloadOf(app, instanceOf(app, changes), client, settings);
  const config = JSON.parse(spec.template.secret['instance.json'] ?? '') as LauncherConfig;
  return { spec, config };
};
const literal = (value: string) => ({ kind: 'literal', value }) as const;
const secret = (optional: boolean) => ({ kind: 'secret', secret: 'db', key: 'password', optional }) as const;

test('no secret stands anywhere but in the workload’s secret', () => {
  const app = exampleApp({
    runtime: { oidc: true },
    manifest: {
      env: [{ name: 'TOKEN', from: literal('value-of-env') }],
      files: [{ path: 'conf/key', from: literal('value-of-file') }],
    },
  });
  const { spec, config } = build(app);
  const { secret: kept, ...template } = spec.template;
  const open = JSON.stringify({ ...spec, template });
  const hidden = JSON.stringify(kept);
  const key = instanceKey(masterKey, id).toString('hex');
  for (const value of ['the-client-secret', 'value-of-env', 'value-of-file', key]) {
    assert.ok(!open.includes(value), `${value} is in the open part`);
    assert.ok(hidden.includes(value), `${value} is missing`);
  }
  assert.ok(!open.includes(masterKey.toString('hex')) && !hidden.includes(masterKey.toString('hex')));
  assert.equal(config.hmacKey, key);
});

test('an app with EnableOIDC gets all of waved’s settings, one without gets none', () => {
  assert.equal(build(exampleApp()).config.oidc, null);
  assert.deepEqual(build(exampleApp({ runtime: { oidc: true } })).config.oidc, {
    providerUrl: issuer,
    clientId: client.clientId,
    clientSecret: client.clientSecret,
    redirectUrl: `http://${id}.localhost:8080/_auth/callback`,
    endSessionUrl: `${issuer}/protocol/openid-connect/logout`,
    postLogoutRedirectUrl: `${publicUrl}/`,
  });
});

test('BASE_URL apps live under their prefix on their own host', () => {
  const { config } = build(exampleApp({ runtime: { routingMode: 'BASE_URL', oidc: true } }));
  assert.equal(config.baseUrl, `/instance/${id}/`);
  assert.equal(config.instanceUrl, `http://${id}.localhost:8080/instance/${id}/`);
  assert.equal(config.oidc?.redirectUrl, `http://${id}.localhost:8080/instance/${id}/_auth/callback`);
});

test('the platform handle is given to PRIVATE instances only', () => {
  assert.equal(build(exampleApp()).config.platformHandle, true);
  assert.equal(build(exampleApp(), { visibility: 'ALL_USERS' }).config.platformHandle, false);
  assert.equal(build(exampleApp(), { visibility: 'PUBLIC' }).config.platformHandle, false);
});

test('limits, ports and volumes come from app.toml, with defaults', () => {
  const plain = build(exampleApp()).spec.template;
  assert.equal(plain.resources.memoryLimit, 2 * 1024 ** 3);
  assert.deepEqual(plain.ports, [{ name: 'status' }, { name: 'app' }]);
  assert.deepEqual(
    plain.volumes.map((v) => [v.mountPath, v.source.kind]),
    [
      ['/app', 'ephemeral'],
      ['/resources', 'ephemeral'],
      ['/var/run/haic', 'secret'],
    ],
  );
  const { template } = build(
    exampleApp({
      runtime: {
        mode: 'python',
        port: 8501,
        memoryLimit: 1000,
        cpuLimit: 500,
        volumeMount: '/data',
        volumeSize: 7,
        resourceVolumeSize: 9,
      },
    }),
  ).spec;
  assert.deepEqual(template.resources, { memoryLimit: 1000, cpuLimit: 500 });
  assert.deepEqual(template.ports[1], { name: 'app', port: 8501 });
  assert.deepEqual(template.volumes[1]?.source, {
    kind: 'persistent',
    claim: `${id}-resources`,
    sizeBytes: 9,
  });
  assert.deepEqual(template.volumes[3], {
    name: 'data',
    mountPath: '/data',
    source: { kind: 'persistent', claim: `${id}-data`, sizeBytes: 7 },
  });
});

test('EnableSHM gives more shared memory, and nothing else does', () => {
  const at = (sharedMemory: boolean) =>
    build(exampleApp({ runtime: { sharedMemory } })).spec.template.volumes.find(
      (v) => v.mountPath === '/dev/shm',
    );
  assert.deepEqual(at(true)?.source, { kind: 'memory', sizeBytes: 2 * 1024 ** 3 });
  assert.equal(at(false), undefined);
});

test('a file outside of the app’s folder gets a folder there, unless the data volume has it', () => {
  const at = (path: string) => ({ path, from: literal('x') });
  const files = [at('conf/a'), at('/app/etc/b'), at('/config/own/c'), at('/data/conf/d')];
  const { template } = build(exampleApp({ runtime: { volumeMount: '/data' }, manifest: { files } })).spec;
  assert.deepEqual(template.volumes.slice(4), [
    { name: 'files-1', mountPath: '/config/own', source: { kind: 'ephemeral' } },
  ]);
});

test('secrets are in no specification: the launcher is told to ask for them, and gets memory for their files', () => {
  const variable = { name: 'DB_PASSWORD', from: secret(false) };
  const { config, spec } = build(
    exampleApp({
      manifest: {
        env: [variable, { name: 'MODE', from: literal('x') }],
        files: [
          { path: 'conf/db', from: secret(true) },
          { path: 'more/plain', from: literal('y') },
        ],
      },
    }),
  );
  assert.deepEqual(config.env, [{ name: 'MODE', value: 'x' }]);
  assert.deepEqual(config.files, [{ path: 'more/plain', value: 'y' }]);
  assert.deepEqual([config.secrets, config.secretFiles], [true, '/run/haic-secrets']);
  const memory = spec.template.volumes.find(({ source }) => source.kind === 'memory');
  assert.equal(memory?.mountPath, '/run/haic-secrets');

  const withoutFiles = build(exampleApp({ manifest: { env: [variable] } }));
  assert.deepEqual([withoutFiles.config.secrets, withoutFiles.config.secretFiles], [true, undefined]);
  const none = build(exampleApp());
  assert.deepEqual([none.config.secrets, none.config.secretFiles], [false, undefined]);
  for (const {
    spec: { template },
  } of [withoutFiles, none])
    assert.ok(!template.volumes.some(({ source }) => source.kind === 'memory'));
});

test('names that bundles give to runtime versions all lead to the Python there is', () => {
  for (const runtimeVersion of [
    undefined,
    'deb_py311',
    'deb11_py38_wlatest',
    'deb_py310',
    'ub2204_cuda121_cudnn8_py310_wlatest',
  ])
    assert.equal(build(exampleApp({ runtime: { runtimeVersion } })).config.runtimeVersion, '3.11');
  assert.throws(
    () => build(exampleApp({ runtime: { runtimeVersion: 'cobol' } })),
    /"cobol".*does not have.*deb_py311/,
  );
});

test('a data volume cannot hide the system or the app', () => {
  for (const path of ['/data', '/data/', '/app/data', '/home/app/files', '/mnt/x-1', '/var/lib/app'])
    assert.equal(checkedMountPath(path), path.replace(/\/$/, ''));
  const refused = [
    '',
    '/',
    '//',
    'data',
    './data',
    '/app',
    '/app/',
    '/resources/x',
    '/etc',
    '/etc/passwd',
    '/var/run/haic',
    '/opt/haic/assets',
    '/proc/self',
    '/dev/shm',
    '/usr/lib',
    '/tmp/x',
    '/root',
    '/data/../etc',
    '/data//x',
    '/da\nta',
    '/d\0',
    '/lib64',
  ];
  for (const path of refused)
    assert.throws(() => checkedMountPath(path), { code: 'invalid_volume_mount' }, JSON.stringify(path));
});

test('annotations say all there is to know, and only a whole set is an instance', () => {
  const app = exampleApp({ runtime: { oidc: true, routingMode: 'BASE_URL' } });
  const instance = instanceOf(app, { visibility: 'PUBLIC' });
  const { spec } = build(app, { visibility: 'PUBLIC' });
  const { secret: _, ...template } = spec.template;
  const status = {
    phase: 'Pending',
    reason: '',
    message: '',
    since: '',
    startedAt: undefined,
    restartCount: 0,
    lastTermination: undefined,
    endpoints: {},
    usage: {},
  } as const;
  const workload = { ...spec, template, createdAt: instance.createdAt, status };
  assert.deepEqual(identityOf(workload), instance);
  assert.equal(identityOf({ ...workload, name: 'something-else' }), undefined);
  assert.equal(identityOf({ ...workload, annotations: {} }), undefined, 'nobody owns it');
  const odd = { ...annotationsOf(instance), 'haic.io/visibility': 'EVERYONE' };
  assert.equal(identityOf({ ...workload, annotations: odd })?.visibility, 'PRIVATE');
});
