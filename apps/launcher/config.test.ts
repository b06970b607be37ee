import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LauncherConfig } from '@haic/services/app-store/scheduler/launcher-config.ts';
import { parseLauncherConfig } from './config.ts';

const good: LauncherConfig = {
  instanceId: '7bb77a05-4d4c-4811-8bef-3a573ba6f379',
  appId: 'a',
  appName: 'hello',
  appVersion: '1.0.0',
  ownerUsername: 'ada',
  visibility: 'PRIVATE',
  publicUrl: 'http://localhost:8080',
  instanceUrl: 'http://x.localhost:8080/',
  baseUrl: '/',
  mode: 'wave',
  module: 'src.app',
  runtimeVersion: '3.11',
  env: [{ name: 'A', value: '' }],
  files: [{ path: 'conf/a', value: 'b' }],
  secrets: true,
  secretFiles: '/run/haic-secrets',
  volumeMount: '/data',
  storeUrl: 'http://localhost:8080',
  hmacKey: 'ab'.repeat(32),
  oidc: {
    providerUrl: 'http://localhost:8080/auth/realms/haic',
    clientId: 'haic-app-x',
    clientSecret: 'secret',
    redirectUrl: 'http://x.localhost:8080/_auth/callback',
    endSessionUrl: '',
    postLogoutRedirectUrl: '',
  },
  platformHandle: true,
  installer: { socket: '/opt/haic/installer/installer.sock' },
  network: { pypiIndex: 'https://index.example/simple' },
};
const parse = (change: Record<string, unknown>) =>
  parseLauncherConfig(JSON.stringify({ ...good, ...change }));

test('a configuration is read as it was written', () => {
  assert.deepEqual(parse({}), good);
  assert.equal(parse({ oidc: null }).oidc, null);
});

test('all problems are told at once, by name and without values', () => {
  const problems = () => parse({ appId: 7, storeUrl: 'ftp://x', hmacKey: 'short-secret', module: '-c' });
  assert.throws(problems, (error: Error) => {
    for (const name of ['appId', 'storeUrl', 'hmacKey', 'module'])
      assert.match(error.message, new RegExp(`${name} is missing or not usable`));
    return !error.message.includes('short-secret');
  });
});

test('variables have the names that an import takes, and no others', () => {
  const named = (name: string) => parse({ env: [{ name, value: 'x' }] });
  for (const name of ['spring.data-source.url', '.hidden', '-x', '_'])
    assert.equal(named(name).env[0]?.name, name);
  for (const name of ['', '1A', 'A=B', 'A B', '.', '..a'])
    assert.throws(() => named(name), /env\[0\]\.name is missing or not usable/, name);
});

test('OIDC settings are complete or refused', () => {
  for (const name of ['providerUrl', 'clientId', 'clientSecret', 'redirectUrl'])
    assert.throws(() => parse({ oidc: { ...good.oidc, [name]: '' } }), new RegExp(`oidc\\.${name}`));
  assert.throws(() => parse({ oidc: 'yes' }), /oidc\.clientId/);
});

test('a handle for the owner is for private instances only', () => {
  assert.throws(() => parse({ visibility: 'PUBLIC' }), /platformHandle is for PRIVATE/);
});
