import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { type ApiInstance, callApi, runApp, waitForStatus } from '../support/api.ts';
import { type Haic, placeForHaic, startHaic } from '../support/haic.ts';
import { eventually, importApp, killHard, platformProcess, restarted } from './support.ts';

const canary = `canary-${randomBytes(16).toString('hex')}`;
const wantsSecret = [
  ...['MemoryLimit = "512Mi"', '[[Env]]', 'Name = "DB_PASSWORD"', 'Secret = "db"', 'SecretKey = "password"'],
];
/** Ends, and so is started again without end, unless it has what it needs. */
const source = `
import http.server, os
assert len(os.environ['DB_PASSWORD']) == ${canary.length}
print('has its secret', flush=True)
http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), http.server.SimpleHTTPRequestHandler).serve_forever()
`;

describe('secrets in apps, and what breaks', () => {
  let haic: Haic;
  let token: string;
  let appId: string;
  before(async () => {
    haic = await startHaic();
    await haic.addUser('ada');
    token = await haic.accessToken('ada');
    const body = { name: 'db', values: { password: canary } };
    assert.equal((await callApi(haic, token, 'POST', '/api/v1/secrets', body)).status, 201);
  });
  after(() => haic?.stop());

  it('killed between the import and the start, the platform forgets nothing', async () => {
    appId = await importApp(haic, token, { source, runtime: wantsSecret });
    const core = await platformProcess(haic, 'core');
    await killHard(haic, ['core']);
    await restarted(haic, 'core', core);
    const { id } = await eventually(async () => runApp(haic, token, appId).catch(() => undefined));
    await waitForStatus(haic, token, id, 'DEPLOYED');
  });

  it('an app whose secret is gone is listed, not run, and says why; it runs when it is back', async () => {
    const replace = (password: string) =>
      callApi(haic, token, 'PUT', '/api/v1/secrets/db', { values: { [password]: canary } });
    assert.equal((await replace('other')).status, 200);
    interface App {
      readonly canRun: boolean;
      readonly cannotRunBecause: string;
    }
    const get = async () => (await callApi<App>(haic, token, 'GET', `/api/v1/apps/${appId}`)).body;
    assert.match(
      (await get()).cannotRunBecause,
      /variable DB_PASSWORD: The secret "db" has no key "password"/,
    );
    const refused = await callApi(haic, token, 'POST', `/api/v1/apps/${appId}/instances`, {});
    assert.equal(refused.status, 403);
    assert.equal((await replace('password')).status, 200);
    assert.equal((await get()).canRun, true);
  });

  it('a backup has it sealed, and what is restored elsewhere can open it', { timeout: 240_000 }, async () => {
    const file = path.join(haic.home, 'backup');
    await haic.run(['backup', file]);
    const archive = zstdDecompressSync(await readFile(file));
    for (const form of [canary, Buffer.from(canary).toString('hex'), Buffer.from(canary).toString('base64')])
      assert.ok(!archive.includes(form));
    const target = await placeForHaic();
    try {
      await target.run(['restore', file]);
      await target.up();
      const own = await target.accessToken('ada');
      const shown = await callApi<{ values: unknown }>(target, own, 'POST', '/api/v1/secrets/db/reveal');
      assert.deepEqual(shown.body.values, { password: canary });
      const { body } = await callApi<{ items: ApiInstance[] }>(target, own, 'GET', '/api/v1/instances');
      await waitForStatus(target, own, body.items[0]?.id ?? '', 'DEPLOYED');
    } finally {
      await target.stop();
    }
  });
});
