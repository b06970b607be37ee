import assert from 'node:assert/strict';
import { test } from 'node:test';
import { madeFor } from './made-for.ts';

const settings = {
  publicUrl: 'http://localhost:8080',
  issuer: 'http://localhost:8080/auth/realms/haic',
  launcher: { image: 'app-runtime', command: ['/opt/haic/node/bin/node', '/opt/haic/assets/launcher.mjs'] },
  installer: { socket: '/opt/haic/installer/installer.sock' },
  network: {},
  defaultMemoryLimit: 1,
};

test('an address and the rest of an installation are told apart, and secrets are in neither', () => {
  const [address, rest] = madeFor(settings).split('-');
  const moved = madeFor({ ...settings, publicUrl: 'https://haic.example.com' }).split('-');
  assert.notEqual(moved[0], address);
  assert.equal(moved[1], rest);
  const proxied = madeFor({ ...settings, network: { httpProxy: 'http://proxy:3128' } }).split('-');
  assert.equal(proxied[0], address);
  assert.notEqual(proxied[1], rest);
  assert.equal(madeFor({ ...settings, defaultMemoryLimit: 2 }), madeFor(settings));
});
