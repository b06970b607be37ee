import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createCookieJar, isPlatformCookie } from './cookies.ts';
import { createHosts } from './hosts.ts';
import { instancePath, laxPath, safeNext } from './paths.ts';

const id = randomUUID();

test('hosts are compared whole; a default port may be written or not', () => {
  const hosts = createHosts('https://haic.example.org');
  assert.deepEqual(hosts.find('haic.example.org'), { kind: 'portal' });
  assert.deepEqual(hosts.find('haic.example.org:443'), { kind: 'portal' });
  assert.deepEqual(hosts.find(`${id}.haic.example.org:443`), { kind: 'app', instanceId: id });
  assert.equal(hosts.appOrigin(id), `https://${id}.haic.example.org`);
  for (const host of [
    'haic.example.org:80',
    'haic.example.org.',
    'evil.haic.example.org',
    `${id}.example.org`,
    `${id}haic.example.org`,
    '',
  ])
    assert.equal(hosts.find(host), undefined, host);
  assert.throws(() => createHosts('https://haic.example.org/path'), /must be an origin/);
});

test('under TLS every cookie of ours has the prefix that keeps it to one host', () => {
  const jar = createCookieJar(true);
  for (const name of [jar.session, jar.ticket, jar.signIn('state')]) assert.match(name, /^__Host-haic_/);
  assert.match(jar.set(jar.session, 'v'), /^__Host-haic_session=v; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  assert.equal(createCookieJar(false).session, 'haic_session');
  for (const name of [
    'haic_session',
    'HAIC_x',
    '__Host-haic_session',
    '__HOST-Haic_x',
    '__secure-haic_idp_session',
  ])
    assert.ok(isPlatformCookie(name), name);
  for (const name of ['session', 'myhaic_session', '_haic']) assert.ok(!isPlatformCookie(name), name);
});

test('a next address stays at its origin, and keeps path and query', () => {
  const origin = 'http://localhost:8080';
  assert.equal(safeNext('/a/b?c=d%2Fe#f', origin), `${origin}/a/b?c=d%2Fe#f`);
  assert.equal(safeNext(`${origin}/a`, origin), `${origin}/a`);
  assert.equal(safeNext('/.//evil.test', origin), `${origin}//evil.test`, 'absolute, so it stays here');
  for (const bad of [
    null,
    '',
    'a',
    '//evil',
    '///evil',
    '/\\evil',
    '\\/evil',
    '/\t/evil',
    ' /x',
    '/a b',
    'javascript:alert(1)',
    'http://localhost:8080.evil/',
    'http://localhost:8080@evil/',
    `/${'x'.repeat(5000)}`,
  ])
    assert.equal(safeNext(bad, origin), `${origin}/`, String(bad));
});

test('paths are read as laxly as any server might read them', () => {
  assert.equal(laxPath('/a/../%69nternal//x?y'), '/internal/x');
  assert.equal(laxPath('/%2569nternal'), '/internal');
  assert.equal(laxPath('/files/100%25'), '/files/100%');
  assert.equal(laxPath('/%zz'), undefined);
  assert.deepEqual(instancePath(`/instance/${id.toUpperCase()}/a?b`), { instanceId: id, rest: '/a?b' });
  assert.deepEqual(instancePath(`/instance/${id}?b`), { instanceId: id, rest: '?b' });
  for (const path of [`/instance/${id}x`, '/instance/x/', '/instances', `/Instance/${id}`])
    assert.equal(instancePath(path), undefined);
});
