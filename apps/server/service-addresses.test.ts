import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createDiscovery } from '@haic/services/discovery/discovery.ts';
import { driveRecords, serviceAddresses } from './service-addresses.ts';

const publicUrl = 'http://localhost:8080';
const records = [
  ...Object.values(serviceAddresses).map(({ prefix, ...record }) => ({
    ...record,
    uri: `${publicUrl}${prefix}`,
  })),
  ...driveRecords('http://localhost:8081'),
];

describe('the services that discovery tells of', () => {
  it('have the ids by which the official clients look them up, each at an address that suits its client', () => {
    assert.deepEqual(Object.fromEntries(records.map(({ id, uri }) => [id, uri])), {
      // h2o-mlops asks for both, and for the secure store.
      ...{ 'authz-gateway': `${publicUrl}/authz`, 'mlops-api': `${publicUrl}/mlops` },
      ...{ 'secure-store': `${publicUrl}/secure-store`, 'audit-trail': `${publicUrl}/audit-trail` },
      // h2o-drive 4 and 5 ask for three, 2 and 3 for the last.
      ...{ 'drive-sts': 'http://localhost:8081/sts', userdrive: 'http://localhost:8081' },
      ...{ workspacedrive: 'http://localhost:8081', drive: 'http://localhost:8081' },
    });
  });

  it('are taken by discovery as they are', () => {
    createDiscovery({
      publicUrl,
      issuerUrl: `${publicUrl}/auth/realms/haic`,
      version: '1',
      services: records,
    });
  });

  it('are one path segment below the host: clients ask beside it for /version', () => {
    for (const { prefix } of Object.values(serviceAddresses)) assert.match(prefix, /^\/[a-z-]+$/);
  });
});
