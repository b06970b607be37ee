import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KnownHost } from './hosts.ts';
import { trafficClassOf } from './traffic.ts';

const portal: KnownHost = { kind: 'portal' };
const app: KnownHost = { kind: 'app', instanceId: '0c5e9f8e-1f43-4f0e-9d0b-6a1f5f2d7c11' };

test('requests are counted by what they are for, in few classes', () => {
  const classOf = (path: string, host: KnownHost | undefined = portal, accept?: string) =>
    trafficClassOf({ host: 'x', path }, host, accept, ['/secure-store']);
  assert.equal(classOf('/'), 'portal');
  assert.equal(classOf('/assets/x.js'), 'portal');
  assert.equal(classOf('/api/v1/apps?x=/login'), 'api');
  assert.equal(classOf('/api/services/secure-store/v1/x'), 'services');
  assert.equal(classOf('/secure-store/v1/x'), 'services');
  assert.equal(classOf('/auth/realms/haic/protocol/openid-connect/token'), 'issuer');
  for (const path of ['/login', '/logout', '/oauth2/callback', '/auth/ticket', '/session'])
    assert.equal(classOf(path), 'sign-in', path);
  assert.equal(classOf('/instance/x/'), 'app');
  assert.equal(classOf('/api/v1/apps', app), 'app');
  assert.equal(classOf('/api/v1/instances/x/events', portal, 'text/event-stream'), 'stream');
  assert.equal(trafficClassOf({ host: 'x', path: '/' }, undefined, undefined, []), 'unknown');
});
