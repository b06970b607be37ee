import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { appId, pause, people, startTestScheduler } from '@haic/services/app-store/scheduler/testing.ts';
import { writeCliConfig } from './config-file.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const { owner, other } = people;

/** A store whose workloads the test moves, and the command line as `who` of it. */
async function startStore(who = owner) {
  const store = await startTestScheduler();
  const issuer = createServer((_request, response) => {
    const token = store.authorizationOf(who).replace('Bearer ', '');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 300 }));
  }).listen(0, '127.0.0.1');
  await once(issuer, 'listening');
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-cli-'));
  const conf = path.join(directory, 'config.toml');
  await writeCliConfig(conf, {
    Endpoint: store.url,
    OIDCAddress: `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`,
    ClientID: wellKnownClients.cli,
    Token: 'a refresh token',
  });
  return {
    store,
    async instance(...words: readonly string[]) {
      const child = spawn(process.execPath, [main, 'instance', ...words, '--conf', conf]);
      const [out, talk] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        child.exitCode === null ? once(child, 'close') : undefined,
      ]);
      return { out, talk, code: child.exitCode };
    },
    async [Symbol.asyncDispose]() {
      issuer.close();
      await store[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const fieldsOf = (out: string) =>
  out
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.split('\t'));
const keys = [
  ...['ID', 'App', 'App ID', 'Created At', 'Updated At', 'Status', 'Visibility', 'URL', 'Owner'],
  ...['Readonly', 'Suspendable', 'Suspend After'],
];

describe('haic instance', () => {
  test('suspend and resume print the object as scripts cut it, the id first', async () => {
    await using cli = await startStore();
    const id = await cli.store.run(owner);
    const suspended = await cli.instance('suspend', id);
    assert.equal(suspended.code, 0, suspended.talk);
    const fields = fieldsOf(suspended.out);
    assert.deepEqual(
      fields.map(([key]) => key),
      keys,
    );
    assert.deepEqual(fields[0], ['ID', id]);
    const value = Object.fromEntries(fields) as Record<string, string>;
    assert.deepEqual(
      [value.App, value['App ID'], value.Status, value.Visibility, value.Owner],
      ['Hello 1.0.0', appId, 'Paused', 'PRIVATE', 'owner'],
    );
    assert.deepEqual([value.Readonly, value.Suspendable, value['Suspend After']], ['false', 'true', '']);
    assert.match(suspended.talk, new RegExp(`resume ${id}`));

    await pause(cli.store, id);
    for (const wide of ['-wide', '-w', '--wide']) {
      const [header, row] = (await cli.instance('list', wide)).out.split('\n');
      assert.match(header ?? '', /^ID +TITLE +OWNER +CREATED +STATUS +VISIBILITY +APP ID +URL +REASON$/);
      assert.match(row ?? '', new RegExp(`^${id} .* ${appId} +http://${id}\\.localhost`));
    }
    const list = await cli.instance('list');
    assert.match(list.out, new RegExp(`^${id}\\s+Hello 1.0.0\\s+owner\\s+\\d+s\\s+Paused\\s+PRIVATE$`, 'm'));

    const resumed = Object.fromEntries(fieldsOf((await cli.instance('resume', id)).out)) as typeof value;
    assert.equal(
      Date.parse(resumed['Suspend After'] ?? '') - Date.parse(resumed['Updated At'] ?? ''),
      8 * 3_600_000,
    );
  });

  test('a transition that cannot be is refused with its reason, and nothing is printed for scripts', async () => {
    await using cli = await startStore();
    const id = await cli.store.run(owner);
    const refused = await cli.instance('resume', id);
    assert.deepEqual([refused.code, refused.out], [1, '']);
    assert.match(refused.talk, /haic: This instance is not paused/);
  });

  test('update -v changes who may open it and says when it was changed; without -v it is a mistake', async () => {
    await using cli = await startStore();
    const id = await cli.store.run(owner);
    cli.store.runtime.become(`app-${id}`, { phase: 'Ready' });
    const updated = await cli.instance('update', id, '-v', 'ALL_USERS');
    const value = Object.fromEntries(fieldsOf(updated.out)) as Record<string, string>;
    assert.deepEqual([value.Status, value.Visibility], ['Deployed', 'ALL_USERS']);
    assert.equal((await cli.instance('update', id)).code, 2);
    const given = await cli.instance('update', id, '--owner', 'other');
    assert.equal(given.code, 1);
    assert.match(given.talk, /Only administrators hand instances over/);
  });

  test('who may only look is told that it is read-only', async () => {
    await using cli = await startStore(other);
    const id = await cli.store.run(owner, { visibility: 'ALL_USERS' });
    const value = Object.fromEntries(fieldsOf((await cli.instance('get', id)).out)) as Record<string, string>;
    assert.deepEqual([value.Readonly, value.Suspendable], ['true', 'false']);
  });
});
