import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createHttpServer, type HttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { registerPortal } from './portal.ts';

describe('the portal’s page', () => {
  let directory = '';
  let server: HttpServer;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'haic-portal-'));
    await writeFile(path.join(directory, 'index.html'), '<h1>Haic</h1>');
    server = createHttpServer({
      logger: createLogger('test', 'silent'),
      verifyToken: () => Promise.reject(new Error('Nobody has a token here.')),
    });
    await registerPortal(server, directory);
  });
  after(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });

  const get = (url: string, accept: string) => server.inject({ url, headers: { accept } });
  const browsers = 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8';

  test('is what a browser gets at every address of it', async () => {
    for (const url of ['/', '/apps', '/instances/a-1/log']) {
      const answer = await get(url, browsers);
      assert.equal(answer.statusCode, 200, url);
      assert.match(answer.body, /Haic/);
    }
  });

  test('is no answer for a program that asks for a service that is not there', async () => {
    for (const url of ['/mlops/v1/models', '/engine-manager/version']) {
      for (const accept of ['*/*', 'application/json']) {
        const answer = await get(url, accept);
        assert.equal(answer.statusCode, 404, url);
        assert.match(answer.headers['content-type'] as string, /^application\/problem\+json/);
      }
    }
    assert.equal((await get('/', '*/*')).statusCode, 200);
  });

  test('is not at the addresses of APIs, whoever asks', async () => {
    assert.equal((await get('/api/v1/nothing', browsers)).statusCode, 404);
  });
});
