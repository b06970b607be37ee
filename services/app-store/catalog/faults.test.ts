import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { defaultBundleLimits } from './bundle/limits.ts';
import { helloToml, zipOf } from './testing.ts';
import { octets, startTestCatalog, type TestCatalog } from './testing-server.ts';
import { prepareUploadDirectory } from './uploads.ts';

const token = 'anna/user/portal';

/** An import whose body never ends. */
function stalledImport(started: TestCatalog): {
  request: ClientRequest;
  status: Promise<number | undefined>;
} {
  const request = httpRequest(`${started.base}/api/v1/apps`, {
    method: 'POST',
    headers: { ...octets, authorization: `Bearer ${token}` },
  });
  const status = new Promise<number | undefined>((resolve) => {
    request.on('response', (response) => resolve(response.resume().statusCode));
    request.on('error', () => resolve(undefined));
  });
  request.write(Buffer.alloc(1000));
  return { request, status };
}

describe('when things go wrong, the catalog', () => {
  it('takes no more imports at once than it can hold', async () => {
    const started = await startTestCatalog(createFilesystemBlobStore, { limits: { concurrentImports: 1 } });
    try {
      const stalled = stalledImport(started);
      while ((await started.uploads()).length === 0) await sleep(5);
      const second = await started.importBytes(await zipOf({ 'app.toml': helloToml }), token);
      assert.deepEqual([second.status, second.json.code], [429, 'too_many_requests']);
      stalled.request.destroy();
      while ((await started.uploads()).length > 0) await sleep(5);
      await started.importApp(token);
    } finally {
      await started.stop();
    }
  });

  it('does not wait for ever for a sender that stalls', async () => {
    const started = await startTestCatalog(createFilesystemBlobStore, { limits: { uploadSeconds: 0.1 } });
    try {
      assert.equal(await stalledImport(started).status, 408);
      assert.deepEqual(await started.uploads(), []);
    } finally {
      await started.stop();
    }
  });

  const mayMount = process.getuid?.() === 0;
  it('answers a full disk with 507 and keeps nothing', {
    skip: !mayMount && 'needs root to mount a tmpfs',
  }, async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'haic-catalog-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory]);
    const started = await startTestCatalog(createFilesystemBlobStore, {
      directory: path.join(directory, 'own'),
    });
    try {
      // The first fits neither as an upload, the second not twice: as an upload and as a blob.
      for (const size of [2_000_000, 600_000]) {
        const zip = await zipOf({ 'app.toml': helloToml, 'data.bin': randomBytes(size) });
        const answer = await started.importBytes(zip, token);
        assert.deepEqual([answer.status, answer.json.code], [507, 'insufficient_storage']);
        assert.deepEqual([await started.uploads(), await started.blobKeys()], [[], []]);
        assert.deepEqual((await started.call('GET', '/api/v1/apps', token)).json.items, []);
      }
      await started.importApp(token);
    } finally {
      await started.stop();
      execFileSync('umount', [directory]);
      await rm(directory, { recursive: true });
    }
  });

  it('removes at its start what a killed process left of an upload', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'haic-uploads-'));
    try {
      const gone = execFileSync('sh', ['-c', 'echo $$']).toString().trim();
      await writeFile(path.join(directory, `${gone}-x.upload`), 'half');
      await writeFile(path.join(directory, `${process.pid}-y.upload`), 'goes on');
      await prepareUploadDirectory(directory, defaultBundleLimits);
      assert.deepEqual(await readdir(directory), [`${process.pid}-y.upload`]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
