import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { helloToml, png, zipOf } from '../testing.ts';
import { octets, startTestCatalog, type TestCatalog } from '../testing-server.ts';

const signal = AbortSignal.timeout(120_000);
const limits = { bundleBytes: 1_000_000, concurrentImports: 2 };

describe('the catalog over HTTP', () => {
  let started: TestCatalog;
  before(async () => {
    started = await startTestCatalog(createFilesystemBlobStore, { limits });
  });
  after(() => started.stop());
  const call: TestCatalog['call'] = (...args) => started.call(...args);
  const importBytes: TestCatalog['importBytes'] = (...args) => started.importBytes(...args);
  const importApp: TestCatalog['importApp'] = (...args) => started.importApp(...args);

  it('imports a bundle and shows it whole', async () => {
    const app = await importApp('anna/user/portal', {
      name: 'first',
      app: 'LongDescription = "about.md"\nDescription = "Says hello"\nTags = ["DEMO"]',
      files: {
        'about.md': '# Hello',
        'static/icon.png': png,
        'static/screenshot-1.png': png,
        'requirements.txt': 'h2o-wave',
      },
    });
    const { status, json } = await call('GET', `/api/v1/apps/${app.id}`, 'anna/user/portal');
    assert.equal(status, 200);
    assert.deepEqual(json, app);
    const { createdAt, updatedAt, bundleSize, precondition, ...rest } = {
      bundleSize: 0,
      createdAt: '',
      updatedAt: '',
      ...json,
    };
    assert.deepEqual(precondition, { status: 'PASSED', problems: [], checkedAt: createdAt });
    assert.ok(bundleSize > 0 && createdAt !== '' && createdAt === updatedAt);
    assert.deepEqual(
      { ...rest, versions: rest.versions.map(({ id, version }) => ({ id, version })) },
      {
        id: app.id,
        name: 'first',
        version: '1.0.0',
        title: 'Hello',
        description: 'Says hello',
        longDescription: '# Hello',
        icon: `/api/v1/apps/${app.id}/assets/icon.png`,
        screenshots: [`/api/v1/apps/${app.id}/assets/screenshot-1.png`],
        owner: { subject: 'sub-anna', username: 'anna' },
        visibility: 'PRIVATE',
        lifecycle: 'ON_DEMAND',
        linkAddress: null,
        tags: ['DEMO'],
        mode: 'wave',
        routingMode: 'DOMAIN',
        oidc: false,
        runtimeVersion: 'deb_py311',
        canRun: true,
        cannotRunBecause: '',
        canManage: true,
        canDownload: true,
        versions: [{ id: app.id, version: '1.0.0' }],
      },
    );
    assert.deepEqual(await started.uploads(), []);
  });

  it('gives other services the manifest, the bundle as it was sent, and its requirements', async () => {
    const zip = await zipOf({
      'app.toml': helloToml.replace('ai.haic.hello', 'client'),
      'requirements.txt': 'numpy\n',
    });
    const { json } = await importBytes(zip, 'anna/user/cli');
    const app = await started.catalog.client.getApp(json.id);
    assert.equal(app?.manifest.runtime.module, 'app');
    assert.deepEqual(
      (await started.catalog.client.getApps([json.id, 'nonsense', crypto.randomUUID()])).map(({ id }) => id),
      [json.id],
    );
    const bundle = await started.catalog.client.openBundle(json.id, { signal });
    assert.ok(bundle !== undefined && (await buffer(bundle.content)).equals(zip));
    assert.equal(await started.catalog.client.readText(json.id, 'requirements.txt', { signal }), 'numpy\n');
    assert.equal(await started.catalog.client.readText(json.id, 'packages.txt', { signal }), undefined);
    for (const id of ['nonsense', crypto.randomUUID()]) {
      assert.equal(await started.catalog.client.getApp(id), undefined);
      assert.equal(await started.catalog.client.openBundle(id, { signal }), undefined);
    }
  });

  it('refuses a name and version that exist, also when both arrive at once', async () => {
    const zip = await zipOf({
      'app.toml': helloToml.replace('ai.haic.hello', 'unique'),
      'static/icon.png': png,
    });
    const before = (await started.blobKeys()).length;
    const answers = await Promise.all([
      importBytes(zip, 'anna/user/portal'),
      importBytes(zip, 'ben/user/portal'),
    ]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409]);
    const again = await importBytes(zip, 'anna/user/portal');
    assert.deepEqual([again.status, again.json.code], [409, 'app_exists']);
    assert.match(again.json.detail, /unique 1\.0\.0 has been imported already/);
    assert.equal((await started.blobKeys()).length, before + 2, 'the refused ones left no blob');
  });

  it('keeps nothing of a bundle that is refused, and says every problem', async () => {
    const before = await started.blobKeys();
    const zip = await zipOf({ 'app.toml': '[App]\nName = "a b"\n[Runtime]\nModule = "-c"' });
    const { status, json } = await importBytes(zip, 'anna/user/portal');
    assert.deepEqual([status, json.code], [400, 'bundle_invalid']);
    assert.deepEqual(
      (json.details.problems as { key: string }[]).map(({ key }) => key),
      ['App.Name', 'App.Version', 'Runtime.Module'],
    );
    assert.equal((await importBytes(Buffer.from('no zip'), 'anna/user/portal')).json.code, 'bundle_invalid');
    assert.deepEqual(await started.blobKeys(), before);
    assert.deepEqual(await started.uploads(), []);
  });

  it('lets who sends somewhat too much finish, and tells them', async () => {
    const large = Buffer.alloc(limits.bundleBytes + 1);
    const answer = await importBytes(large, 'anna/user/portal');
    assert.deepEqual([answer.status, answer.json.code], [413, 'bundle_too_large']);
    const unsaid = await new Promise((resolve, reject) => {
      const request = httpRequest(`${started.base}/api/v1/apps`, {
        method: 'POST',
        headers: { ...octets, authorization: 'Bearer anna/user/portal' },
      });
      request.on('response', (response) => resolve(response.statusCode));
      request.on('error', reject);
      Readable.from([large, large]).pipe(request);
    });
    assert.equal(unsaid, 413);
    assert.deepEqual(await started.uploads(), []);
  });

  it('cuts off who sends without end', async () => {
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(`${started.base}/api/v1/apps`, {
        method: 'POST',
        headers: { ...octets, authorization: 'Bearer anna/user/portal' },
      });
      request.on('response', (response) => resolve(response.statusCode));
      request.on('error', reject);
      request.write(Buffer.alloc(limits.bundleBytes * 4 + 1));
    });
    assert.equal(status, 413);
    assert.deepEqual(await started.uploads(), []);
  });

  it('keeps nothing when the sender hangs up', async () => {
    const before = await started.blobKeys();
    const request = httpRequest(`${started.base}/api/v1/apps`, {
      method: 'POST',
      headers: { ...octets, authorization: 'Bearer anna/user/portal' },
    });
    request.on('error', () => undefined);
    request.write(Buffer.alloc(100_000));
    while ((await started.uploads()).length === 0) await sleep(5);
    request.destroy();
    while ((await started.uploads()).length > 0) await sleep(5);
    assert.deepEqual(await started.blobKeys(), before);
  });

  it('says what the body must be', async () => {
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x'])
      assert.equal(
        (
          await call('POST', '/api/v1/apps', 'anna/user/portal', {
            body: '{}',
            headers: { 'content-type': type },
          })
        ).json.code,
        'bundle_missing',
      );
    assert.equal((await call('POST', '/api/v1/apps', 'anna/user/portal')).json.code, 'bundle_missing');
    assert.equal((await importBytes(Buffer.from(''), 'anna/user/portal', 'SECRET')).status, 400);
  });

  it('lists the highest version of each name, all versions on demand', async () => {
    for (const version of ['1.9.0', '1.10.0', '1.10.0-rc.1'])
      await importApp('lisa/user/portal', { name: 'versioned', version, visibility: 'ALL_USERS' });
    await importApp('lisa/user/portal', { name: 'versioned', version: '2.0.0' });
    const versionsFor = async (token: string, query = '') =>
      (await call('GET', `/api/v1/apps?query=versioned${query}`, token)).json.items.map(
        ({ version }) => version,
      );
    assert.deepEqual(await versionsFor('lisa/user/portal'), ['2.0.0']);
    assert.deepEqual(
      await versionsFor('ben/user/portal'),
      ['1.10.0'],
      'the PRIVATE 2.0.0 hides nothing from others',
    );
    assert.deepEqual(await versionsFor('ben/user/portal', '&versions=all'), [
      '1.10.0-rc.1',
      '1.10.0',
      '1.9.0',
    ]);
    const [item] = (await call('GET', '/api/v1/apps?query=VERSIONED', 'ben/user/portal')).json.items;
    const { json } = await call('GET', `/api/v1/apps/${item?.id}`, 'ben/user/portal');
    assert.deepEqual(
      json.versions.map(({ version }) => version),
      ['1.10.0', '1.10.0-rc.1', '1.9.0'],
    );
    assert.ok(
      json.versions.every(({ canRun }) => canRun),
      'each of them can be run: going back is running an older one',
    );
    const forAdmin = await call('GET', `/api/v1/apps/${item?.id}`, 'adm/admin/portal');
    assert.deepEqual(
      forAdmin.json.versions.map(({ version, canRun }) => `${version} ${canRun}`),
      ['2.0.0 false', '1.10.0 true', '1.10.0-rc.1 true', '1.9.0 true'],
      'nobody runs another’s PRIVATE version',
    );
  });

  it('finds by name, title and description, and takes no pattern for one', async () => {
    await importApp('olga/user/portal', { name: 'searchable', app: 'Description = "Counts 100% of Äpfel"' });
    const found = async (query: string) =>
      (
        await call('GET', `/api/v1/apps?query=${encodeURIComponent(query)}`, 'olga/user/portal')
      ).json.items.map(({ name }) => name);
    for (const query of ['searchable', 'ARCHAB', '100% of', 'äpfel'])
      assert.deepEqual(await found(query), ['searchable']);
    for (const query of ['s%e', '_earchable', '\\', "'; drop table apps; --"])
      assert.deepEqual(await found(query), []);
    assert.equal((await call('GET', '/api/v1/apps?query=%00', 'olga/user/portal')).status, 400);
  });

  it('lists page by page, the newest first', async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i += 1)
      made.unshift((await importApp('paul/user/portal', { name: `paged-${i}` })).id);
    const got: string[] = [];
    let token: string | undefined;
    do {
      const { json } = await call(
        'GET',
        `/api/v1/apps?query=paged&pageSize=2${token === undefined ? '' : `&pageToken=${token}`}`,
        'paul/user/portal',
      );
      got.push(...json.items.map(({ id }) => id));
      token = json.nextPageToken;
    } while (token !== undefined);
    assert.deepEqual(got, made);
    for (const bad of [
      'pageSize=0',
      'pageSize=1001',
      'pageSize=x',
      'pageToken=x',
      `pageToken=${Buffer.from('1 not-an-id').toString('base64url')}`,
    ])
      assert.equal((await call('GET', `/api/v1/apps?${bad}`, 'paul/user/portal')).status, 400, bad);
  });

  it('serves images that a browser cannot mistake, and keeps', async () => {
    const app = await importApp('anna/user/portal', { files: { 'static/icon.png': png } });
    const answer = await fetch(started.base + app.icon, {
      headers: { authorization: 'Bearer anna/user/portal' },
    });
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(png));
    assert.equal(answer.headers.get('content-type'), 'image/png');
    assert.equal(answer.headers.get('content-length'), String(png.length));
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.match(answer.headers.get('content-security-policy') ?? '', /sandbox/);
    assert.match(answer.headers.get('cache-control') ?? '', /private.*immutable/);
    const etag = answer.headers.get('etag') ?? '';
    const again = await call('GET', app.icon ?? '', 'anna/user/portal', {
      headers: { 'if-none-match': `"x", W/${etag}` },
    });
    assert.deepEqual([again.status, again.text], [304, '']);
    assert.equal((await call('HEAD', app.icon ?? '', 'anna/user/portal')).status, 200);
    for (const name of ['screenshot-1.png', '..%2F..%2Fbundles', 'icon.png%00', '__proto__'])
      assert.equal(
        (await call('GET', `/api/v1/apps/${app.id}/assets/${name}`, 'anna/user/portal')).status,
        404,
      );
    assert.equal(
      (await call('GET', app.icon ?? '', 'ben/user/portal')).status,
      404,
      'not for those who may not see the app',
    );
  });

  it('deletes an app with all its blobs, once no instance is left', async () => {
    const app = await importApp('anna/user/portal', { files: { 'static/icon.png': png } });
    started.instances.set(app.id, 2);
    const refused = await call('DELETE', `/api/v1/apps/${app.id}`, 'anna/user/portal');
    assert.deepEqual([refused.status, refused.json.code], [409, 'app_in_use']);
    assert.match(refused.json.detail, /2 instances.*PRIVATE/);
    started.instances.delete(app.id);
    assert.equal((await call('DELETE', `/api/v1/apps/${app.id}`, 'anna/user/portal')).status, 204);
    assert.equal((await call('GET', `/api/v1/apps/${app.id}`, 'anna/user/portal')).status, 404);
    assert.ok(!(await started.blobKeys()).some((key) => key.includes(app.id)));
  });

  it('sweeps blobs that a crash left without an app, and no others', async () => {
    const kept = await importApp('anna/user/portal', { files: { 'static/icon.png': png } });
    const before = await started.blobKeys();
    const orphan = crypto.randomUUID();
    for (const key of [`bundles/${orphan}.wave`, `assets/${orphan}/icon.png`])
      await started.blobs.put(key, Readable.from(['x']), { signal });
    assert.equal(await started.catalog.sweep(), 0, 'young ones may belong to an import that goes on');
    assert.equal(await started.catalog.sweep({ olderThanMs: -1000 }), 2);
    assert.deepEqual(await started.blobKeys(), before);
    assert.ok(before.some((key) => key.includes(kept.id)));
  });
});
