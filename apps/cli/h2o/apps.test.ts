import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { helloToml } from '@haic/services/app-store/catalog/testing.ts';
import { startTestCatalog, type TestCatalog } from '@haic/services/app-store/catalog/testing-server.ts';
import { people, startTestScheduler } from '@haic/services/app-store/scheduler/testing.ts';
import { startCommandLine } from './testing.ts';

const anna = 'anna/user/cli';
let store: TestCatalog;
before(async () => {
  store = await startTestCatalog(createFilesystemBlobStore);
});
after(() => store.stop());

const fieldsOf = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));

const idsOf = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((row) => row.split(' ')[0]);

test('app list has the columns that scripts cut: one’s own, the newest first; -a adds what one may see', async () => {
  const old = await store.importApp(anna, { name: 'list-a', version: '1.0.0', app: 'Tags = ["X", "Y"]' });
  const newer = await store.importApp(anna, { name: 'list-a', version: '1.1.0' });
  const shared = await store.importApp('ben/user/cli', { name: 'list-b', visibility: 'ALL_USERS' });
  await store.importApp('ben/user/cli', { name: 'list-c' });
  await using cli = await startCommandLine(store.base, anna);
  const own = await cli.run('app', 'list');
  assert.equal(own.code, 0, own.talk);
  assert.deepEqual(idsOf(own.out), [newer.id, old.id]);
  const rows = own.out.trimEnd().split('\n');
  assert.match(rows[0] ?? '', /^ID +TITLE +OWNER +CREATED +VISIBILITY +TAGS$/);
  assert.match(rows[2] ?? '', /^\S+ +Hello 1\.0\.0 +anna +\d+s +PRIVATE +X,Y$/);
  assert.deepEqual(idsOf((await cli.run('app', 'list', '-a')).out), [shared.id, newer.id, old.id]);
});

test('app list --precondition adds whether each can be run, env runtime-version list what they may name', async () => {
  const app = await store.importApp(anna, { name: 'checked' });
  await using cli = await startCommandLine(store.base, anna);
  const { code, out, talk } = await cli.run('app', 'list', '--precondition');
  assert.equal(code, 0, talk);
  const [header, ...rows] = out.trimEnd().split('\n');
  assert.match(header ?? '', / TAGS +PRECONDITION$/);
  assert.match(rows.find((row) => row.startsWith(app.id)) ?? '', / PASSED$/);
  const versions = await cli.run('env', 'runtime-version', 'list');
  assert.equal(versions.code, 0, versions.talk);
  assert.match(versions.out, /^NAME +STATUS\n/);
  assert.match(versions.out, /^\S+ +Default$/m);
});

test('app delete deletes at once where nobody can be asked, and is refused with the code of the store', async () => {
  const app = await store.importApp(anna, { name: 'deleted' });
  await using cli = await startCommandLine(store.base, anna);
  store.instances.set(app.id, 1);
  const refused = await cli.run('app', 'delete', app.id);
  assert.deepEqual([refused.code, refused.out], [1, '']);
  assert.match(refused.talk, /^haic: .*PRIVATE.* \(app_in_use\)$/m);
  store.instances.delete(app.id);
  assert.equal((await cli.run('app', 'delete', app.id, '-y')).code, 0);
  const gone = await cli.run('app', 'get', app.id);
  assert.match(gone.talk, /\(not_found\)/);
});

test('app update changes who sees an app and prints it, the id first', async () => {
  const app = await store.importApp(anna, { name: 'update-a' });
  await using cli = await startCommandLine(store.base, anna);
  const { code, out, talk } = await cli.run('app', 'update', app.id, '-v', 'ALL_USERS');
  assert.equal(code, 0, talk);
  const fields = fieldsOf(out);
  assert.deepEqual(
    fields.map(([key]) => key),
    ['ID', 'Title', 'Version', 'Created At', 'Updated At', 'Owner', 'Visibility', 'Description', 'Tags'],
  );
  assert.deepEqual([fields[0]?.[1], fields[6]?.[1]], [app.id, 'ALL_USERS']);
  assert.equal((await cli.run('app', 'update', app.id, '-v', 'SECRET')).code, 2);
  assert.equal((await cli.run('app', 'update', app.id)).code, 2);

  const person = { name: 'Bela', email: '', roles: ['user'], groups: [], disabled: false };
  store.people.set('bela', { ...person, subject: 'sub-bela', username: 'bela' });
  const given = await cli.run('app', 'update', app.id, '--owner', 'bela');
  assert.equal(Object.fromEntries(fieldsOf(given.out)).Owner, 'bela', given.talk);
});

/** The catalog and the scheduler behind one address, as the core serves them. */
async function startWholeStore({ losesFirstAnswer = false } = {}) {
  let losesAnswer = losesFirstAnswer;
  const who = { ...people.owner, subject: 'sub-anna', username: 'anna' };
  const scheduler = await startTestScheduler({ catalog: store.catalog.client });
  const { subject, username, roles, groups } = who;
  const person = { subject, username, name: username, email: '', roles, groups, disabled: false };
  scheduler.identity.people.set(subject, person);
  const front = createServer(async (request, response) => {
    const isRun = /^\/api\/v1\/apps\/[^/]+\/instances$/.test(request.url ?? '');
    const body = await buffer(request);
    const answer = await fetch((isRun ? scheduler.url : store.base) + request.url, {
      method: request.method ?? 'GET',
      headers: {
        'content-type': request.headers['content-type'] ?? '',
        authorization: isRun ? scheduler.authorizationOf(who) : (request.headers.authorization ?? ''),
        'idempotency-key': String(request.headers['idempotency-key'] ?? 'none'),
      },
      ...(body.length === 0 ? {} : { body: Buffer.from(body) }),
    });
    if (isRun && losesAnswer) {
      losesAnswer = false;
      response.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(await answer.text());
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    scheduler,
    url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      front.close();
      front.closeAllConnections();
      await scheduler[Symbol.asyncDispose]();
    },
  };
}

test('app run that loses its answer on the way asks again, and one instance runs', async () => {
  const app = await store.importApp(anna, { name: 'lost-answer' });
  await using whole = await startWholeStore({ losesFirstAnswer: true });
  await using cli = await startCommandLine(whole.url, anna);
  const { code, out, talk } = await cli.run('app', 'run', app.id);
  assert.equal(code, 0, talk);
  const workloads = await whole.scheduler.runtime.list({});
  assert.deepEqual(
    workloads.map(({ name }) => name),
    [`app-${fieldsOf(out)[0]?.[1]}`],
  );
});

test('bundle deploy imports a version of its own and runs it, each time', async () => {
  await using whole = await startWholeStore();
  await using cli = await startCommandLine(whole.url, anna);
  const source = path.join(cli.directory, 'source');
  await mkdir(source);
  const toml = helloToml.replace('ai.haic.hello', 'deployed').replace('Version', 'version');
  await writeFile(path.join(source, 'app.toml'), `${toml}ResourceVolumeSize = "1Gi" # for speed\n`);
  await writeFile(path.join(source, 'app.py'), 'x\n');

  const { code, out, talk } = await cli.run('bundle', 'deploy', 'source');
  assert.equal(code, 0, talk);
  const fields = fieldsOf(out);
  assert.equal(fields[0]?.[0], 'ID');
  assert.match(fields.find(([key]) => key === 'Version')?.[1] ?? '', /^1\.0\.0-20\d{12}$/);
  const [instanceId, url] = fields.slice(-2);
  assert.equal(instanceId?.[0], 'Instance ID');
  assert.ok(url?.[0] === 'URL' && url[1]?.includes(instanceId?.[1] ?? 'none'));
  const app = await store.catalog.client.getApp(fields[0]?.[1] ?? '');
  assert.equal(app?.manifest.runtime.resourceVolumeSize, undefined);
  assert.equal(app?.visibility, 'PRIVATE');

  const plain = await cli.run('bundle', 'deploy', 'source', '--generate-version=false', '--json');
  assert.equal(plain.code, 0, plain.talk);
  const answer = JSON.parse(plain.out) as { app: { version: string }; instance: { id: string } };
  assert.equal(answer.app.version, '1.0.0');
  assert.deepEqual(await readdir(source), ['app.py', 'app.toml'], 'the folder itself is left alone');
});

test('bundle deploy of what is no app says so', async () => {
  await using cli = await startCommandLine(store.base, anna);
  const { code, talk } = await cli.run('bundle', 'deploy');
  assert.equal(code, 2);
  assert.match(talk, /no app\.toml/);
});
