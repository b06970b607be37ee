import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { createReach } from './reach.ts';

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

describe('whether a pod that is ready is reached', () => {
  it('is tried out once it has just become ready, and taken for granted of one that has been for long', async (t) => {
    const connected = Promise.withResolvers<void>();
    const server = createServer((socket) => {
      connected.resolve();
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const told = Promise.withResolvers<string>();
    const reach = createReach(told.resolve, t.signal);
    // Nobody listens there, and nobody asks.
    assert.equal(reach.has('pod-1', 'old', { host: '127.0.0.1', port: 1 }, ago(120)), true);
    const young = ['pod-2', 'young', { host: '127.0.0.1', port }, ago(1)] as const;
    assert.equal(reach.has(...young), false);
    await connected.promise;
    assert.equal(await told.promise, 'young');
    assert.equal(reach.has(...young), true);
  });
});
