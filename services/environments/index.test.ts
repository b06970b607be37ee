import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { EnvironmentOutcome } from './client.ts';
import { makeWheel, startTestEnvironments, testCaller, testFolder } from './testing.ts';

/** A package index of our own, which can change its mind. */
const files = new Map<string, Buffer>();
const server = createServer((request, response) => {
  const parts = (request.url ?? '').split('/').filter((part) => part !== '');
  const [kind, name = ''] = parts;
  const content = kind === 'files' ? files.get(name) : undefined;
  if (content !== undefined) return response.end(content);
  const links = [...files.keys()].filter((file) => file.startsWith(`${name}-`));
  if (kind !== 'simple' || links.length === 0) return response.writeHead(404).end();
  response.setHeader('content-type', 'text/html');
  return response.end(links.map((file) => `<a href="/files/${file}">${file}</a>`).join('\n'));
});

let index: string;
let directory: string;
before(async () => {
  directory = await testFolder();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  index = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
});
after(async () => {
  server.close();
  server.closeAllConnections();
  await rm(directory, { recursive: true, force: true });
});

async function publish(name: string, source: string): Promise<void> {
  const wheel = await makeWheel(directory, name, { [`${name}.py`]: source });
  files.set(wheel.fileName, wheel.content);
}

async function prepare(
  requirements: string,
  settings: { index: string; forgetFiles?: boolean },
): Promise<EnvironmentOutcome> {
  const home = path.join(directory, 'environments');
  if (settings.forgetFiles)
    for (const name of ['envs', 'uv']) await rm(path.join(home, name), { recursive: true, force: true });
  const { environments, stop } = await startTestEnvironments({ directory: home, index: settings.index });
  const outcome = await environments.prepare({ python: 'default', requirements }, testCaller());
  await stop();
  return outcome;
}

const messageIn = (outcome: EnvironmentOutcome): string =>
  outcome.type === 'failed' ? outcome.message : outcome.type;

test('an index of one’s own is used, and its packages too', async () => {
  await publish('private', 'answer = 1\n');
  const outcome = await prepare('private', { index });
  assert.equal(outcome.type, 'ready', JSON.stringify(outcome));
});

test('a file that the index has changed since is refused, however often it is tried', async () => {
  await publish('private', 'answer = 2  # replaced by someone\n');
  for (let attempt = 0; attempt < 2; attempt += 1) {
    assert.match(messageIn(await prepare('private', { index, forgetFiles: true })), /does not have the hash/);
    assert.deepEqual(await readdir(path.join(directory, 'environments', 'envs')), []);
  }
});

test('what the index has dropped is said, and then chosen anew', async () => {
  await publish('dropped', 'answer = 1\n');
  assert.equal((await prepare('dropped', { index })).type, 'ready');
  files.delete('dropped-1.0-py3-none-any.whl');
  assert.match(messageIn(await prepare('dropped', { index, forgetFiles: true })), /dropped/);
  await publish('dropped', 'answer = 2\n');
  assert.equal((await prepare('dropped', { index, forgetFiles: true })).type, 'ready');
});

test('the versions that were chosen once stay, even when the index cannot be asked any more', async () => {
  await publish('kept', 'answer = 1\n');
  const first = await prepare('kept', { index });
  assert.equal(first.type, 'ready');
  const offline = 'http://127.0.0.1:9/simple';
  assert.deepEqual(await prepare('kept', { index: offline }), { ...first, cached: true });
  assert.match(messageIn(await prepare('attrs', { index: offline })), /package index cannot be reached/);
});
