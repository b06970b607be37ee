import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { bundleKey } from './blobs.ts';
import type { RuntimeVersion } from './manifest/runtime.ts';
import { helloToml, runtimeVersions } from './testing.ts';
import { type AppJson, startTestCatalog, type TestCatalog } from './testing-server.ts';

const signal = AbortSignal.timeout(120_000);
const owner = 'anna/user/portal';
const other = 'otto/user/portal';
const admin = 'alma/admin/portal';

/** What the installation offers, changed by the tests while it runs: as after a restart with other settings. */
const offered: RuntimeVersion[] = [...runtimeVersions];
const offer = (...versions: RuntimeVersion[]) => offered.splice(0, offered.length, ...versions);

describe('preconditions', () => {
  let started: TestCatalog;
  before(async () => {
    started = await startTestCatalog(createFilesystemBlobStore, { runtimeVersions: offered });
  });
  after(() => started.stop());
  const get = async (id: string, token = owner): Promise<AppJson & { cannotRunBecause?: string }> =>
    (await started.call('GET', `/api/v1/apps/${id}`, token)).json;
  const checkAll = () => started.catalog.checkPreconditions(signal);

  it('pass at the import and say when they were looked at', async () => {
    const app = await started.importApp(owner);
    assert.equal(app.precondition.status, 'PASSED');
    assert.deepEqual(app.precondition.problems, []);
    await checkAll();
    const later = (await get(app.id)).precondition;
    assert.ok(Date.parse(later.checkedAt) > Date.parse(app.precondition.checkedAt));
  });

  it('fail when the runtime version is gone; the app is listed, not runnable, and runs again when it is back', async () => {
    const app = await started.importApp(owner, { visibility: 'ALL_USERS' });
    offer({ name: 'deb_py313', aliases: [], default: true });
    const { checked, failed } = await checkAll();
    assert.ok(checked >= failed && failed >= 1);
    for (const token of [owner, other]) {
      const seen = await get(app.id, token);
      assert.equal(seen.precondition.status, 'FAILED');
      assert.equal(seen.canRun, false);
      assert.match(
        seen.cannotRunBecause ?? '',
        /deb_py311, which this installation no longer has.*deb_py313/,
      );
      assert.equal(seen.versions[0]?.canRun, false);
    }
    const list = await started.call('GET', '/api/v1/apps?precondition=FAILED&pageSize=200', other);
    assert.ok(list.json.items.some(({ id }) => id === app.id));
    const passing = await started.call('GET', '/api/v1/apps?precondition=PASSED&pageSize=200', other);
    assert.ok(passing.json.items.every(({ id }) => id !== app.id));

    offer(...runtimeVersions);
    await checkAll();
    assert.equal((await get(app.id)).canRun, true);
  });

  it('warn of a deprecated runtime version, which runs on', async () => {
    const app = await started.importApp(owner);
    offer(
      { name: 'deb_py311', aliases: [], deprecated: true },
      { name: 'deb_py313', aliases: [], default: true },
    );
    await checkAll();
    const seen = await get(app.id);
    assert.equal(seen.precondition.status, 'PASSED');
    assert.equal(seen.precondition.problems[0]?.code, 'runtime_version_deprecated');
    assert.equal(seen.canRun, true);
    offer(...runtimeVersions);
    await checkAll();
  });

  it('fail when the Python of the runtime version is not there', async () => {
    const app = await started.importApp(owner);
    const unavailable = 'Python 3.11 is not installed on this machine.';
    offer({ name: 'deb_py311', aliases: [], default: true, unavailable });
    await checkAll();
    const seen = await get(app.id);
    assert.deepEqual(seen.precondition.problems, [
      { code: 'python_missing', message: unavailable, blocks: true },
    ]);
    offer(...runtimeVersions);
    await checkAll();
  });

  it('fail when a secret or its key is gone, or may not be had any more, and pass when it is back', async () => {
    const { kept } = started.secrets;
    kept.set('db', ['password']);
    const app = await started.importApp(owner, {
      name: 'secretive',
      toml: `${helloToml.replace('ai.haic.hello', 'secretive')}
[[Env]]
Name = "KEY"
Secret = "db"
SecretKey = "password"
[[File]]
Path = "conf/other"
Secret = "unneeded"
SecretKey = "k"
Optional = true
`,
    });
    await checkAll();
    assert.equal((await get(app.id)).precondition.status, 'PASSED');
    kept.set('db', ['other']);
    await checkAll();
    const seen = await get(app.id);
    assert.equal(seen.precondition.problems[0]?.code, 'secret_key_missing');
    assert.match(seen.cannotRunBecause ?? '', /For the variable KEY: "db" has no key "password"/);
    assert.equal(seen.precondition.problems.length, 1, 'what is optional is not missed');

    kept.delete('db');
    const named = await started.catalog.client.appsNaming('db');
    assert.deepEqual(
      [named.map(({ id }) => id), await started.catalog.client.appsNaming('d')],
      [[app.id], []],
    );
    assert.deepEqual((await started.catalog.client.appsNaming('unneeded')).length, 1);
    await started.catalog.client.recheck(named, signal);
    assert.equal((await get(app.id)).precondition.problems[0]?.code, 'secret_missing');

    // Nothing is known while the store is away, so what was known stays.
    started.secrets.down = new Error('away');
    await checkAll();
    assert.equal((await get(app.id)).precondition.problems[0]?.code, 'secret_missing');
    started.secrets.down = undefined;
    kept.set('db', ['password']);
    await started.catalog.client.recheck(named, signal);
    assert.equal((await get(app.id)).precondition.status, 'PASSED');
  });

  it('ask for the secrets of whoever imported an app, also when it is somebody else’s by now', async () => {
    const { kept, asked } = started.secrets;
    kept.set('db', ['password']);
    const app = await started.importApp(owner, {
      toml: `${helloToml.replace('ai.haic.hello', 'given')}\n[[Env]]\nName = "K"\nSecret = "db"\nSecretKey = "password"\n`,
    });
    started.people.set('ben', {
      subject: 'sub-ben',
      username: 'ben',
      name: 'Ben',
      email: '',
      roles: ['user'],
      groups: [],
      disabled: false,
    });
    const [username = ''] = owner.split('/');
    const lastAsked = () => asked.findLast((one) => one.app === 'given');
    assert.deepEqual(lastAsked(), { app: 'given', importer: `sub-${username}`, isImporters: true });
    const given = await started.call('PATCH', `/api/v1/apps/${app.id}`, owner, {
      body: JSON.stringify({ owner: 'ben' }),
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(given.status, 200, given.text);
    await checkAll();
    assert.deepEqual(lastAsked(), { app: 'given', importer: `sub-${username}`, isImporters: false });
  });

  it('fail when the bundle is gone', async () => {
    const app = await started.importApp(owner);
    await started.blobs.delete(bundleKey(app.id), { signal });
    await checkAll();
    assert.equal((await get(app.id)).precondition.problems[0]?.code, 'bundle_missing');
  });

  it('fail when the bundle is another than was imported, and stay so until it is whole again', async () => {
    const app = await started.importApp(owner);
    const { content } = (await started.blobs.get(bundleKey(app.id), { signal })) ?? {};
    const good = Buffer.concat((await content?.toArray()) ?? []);
    const bad = Buffer.from(good);
    bad[40] = (bad[40] ?? 0) ^ 1;
    await started.blobs.put(bundleKey(app.id), Readable.from([bad]), { signal });
    for (const _ of ['once', 'and the hour after'] as const) {
      await checkAll();
      assert.equal((await get(app.id)).precondition.problems[0]?.code, 'bundle_damaged');
    }
    await started.blobs.put(bundleKey(app.id), Readable.from([good]), { signal });
    await checkAll();
    assert.equal((await get(app.id)).precondition.status, 'PASSED');
  });

  it('fail when the address of a link is none that may be opened', async () => {
    const app = await started.importApp(owner, {
      toml: '[App]\nName = "a-link"\nVersion = "1.0.0"\nInstanceLifecycle = "LINK"\n[Link]\nAddress = "https://example.com/"\n',
    });
    await checkAll();
    assert.equal((await get(app.id)).precondition.status, 'PASSED');
    await started.database
      .sql`update catalog.apps set manifest = jsonb_set(manifest, '{linkAddress}', '"javascript:alert(1)"') where id = ${app.id}`;
    await checkAll();
    assert.equal((await get(app.id)).precondition.problems[0]?.code, 'link_address_invalid');
  });

  it('are looked at on demand: one app by who manages it, all by administrators', async () => {
    const app = await started.importApp(owner, { visibility: 'ALL_USERS' });
    const one = `/api/v1/apps/${app.id}/preconditions`;
    await started.blobs.delete(bundleKey(app.id), { signal });
    assert.equal((await started.call('POST', one, other)).status, 403);
    const answer = await started.call('POST', one, owner);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.precondition.status, 'FAILED');
    assert.equal((await started.call('POST', one, admin)).status, 200);

    const all = '/api/v1/apps/preconditions';
    assert.equal((await started.call('POST', all, owner)).status, 403);
    assert.equal((await started.call('POST', all, 'alma/admin/app')).status, 403);
    const counted = await started.call('POST', all, admin);
    assert.equal(counted.status, 200, counted.text);
    assert.deepEqual(Object.keys(counted.json).sort(), ['checked', 'failed']);
  });

  it('keep nobody from reading which runtime versions there are', async () => {
    const { json } = await started.call('GET', '/api/v1/runtime-versions', owner);
    assert.deepEqual(json.items, [
      {
        name: 'deb_py311',
        status: 'Default',
        python: '3.11',
        aliases: ['deb11_py310_wlatest'],
        available: true,
      },
      { name: 'deb_py38', status: 'Deprecated', python: '3.8', aliases: [], available: true },
    ]);
    assert.equal((await started.call('GET', '/api/v1/runtime-versions', 'vis/visitor/portal')).status, 403);
  });

  it('list what carries a tag', async () => {
    const app = await started.importApp(owner, { app: 'Tags = ["Finance", "Demo"]' });
    const found = await started.call('GET', '/api/v1/apps?tag=Finance', owner);
    assert.deepEqual(
      found.json.items.map(({ id }) => id),
      [app.id],
    );
    assert.deepEqual((await started.call('GET', '/api/v1/apps?tag=Fin', owner)).json.items, []);
    const searched = await started.call('GET', '/api/v1/apps?query=finan', owner);
    assert.equal(searched.json.items[0]?.id, app.id, 'tags are searched, too');
  });
});
