import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { identify, isAlive, signalProcess } from './process-identity.ts';

describe('a process identity', () => {
  it('is alive while the process runs and dead after it ended', async () => {
    const child = spawn('sleep', ['60']);
    const identity = await identify(child.pid ?? 0);
    assert.ok(identity !== undefined && (await isAlive(identity)));
    assert.equal(await signalProcess(identity, 'SIGTERM'), true);
    await once(child, 'close');
    assert.equal(await isAlive(identity), false);
    assert.equal(await signalProcess(identity, 'SIGTERM'), false);
  });

  it('is not mistaken for another process of the same pid, nor of another boot', async () => {
    const self = await identify(process.pid);
    assert.ok(self !== undefined);
    assert.equal(await isAlive({ ...self, startTime: '1' }), false);
    assert.equal(await isAlive({ ...self, bootId: 'another' }), false);
    assert.equal(await signalProcess({ ...self, startTime: '1' }, 'SIGKILL'), false);
  });
});
