import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Browser } from '@haic/services/app-store/router/testing.ts';
import { type ApiInstance, callApi, waitForStatus } from '../support/api.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { bornOf, eventually, platformProcess, processesOf, shimsOf, startProbe } from './support.ts';

const cli = path.join(import.meta.dirname, '../../apps/cli/main.ts');

describe('up and down', () => {
  let haic: Haic;
  let token: string;
  let id: string;

  before(async () => {
    haic = await startHaic();
    await haic.addUser('ada');
    token = await haic.accessToken('ada');
    id = await startProbe(haic, token);
  });
  after(() => haic?.stop());

  const isReachable = async (): Promise<string> => eventually(() => bornOf(haic, token, id));

  it('`up` twice changes nothing: the same processes, and no second password', async () => {
    const before = await platformProcess(haic, 'core');
    const said = await haic.run(['up', '--detach']);
    assert.match(said, /Haic is ready/);
    assert.doesNotMatch(said, /Password/);
    assert.deepEqual(await platformProcess(haic, 'core'), before);
  });

  it('`up` at another address while it runs is refused, and says what to do', async () => {
    const other = await haic.cli(['up', '--detach', '--port', String(haic.port + 10)]);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /runs already, at http:\/\/localhost:\d+\..*haic down/);
    assert.equal(typeof (await isReachable()), 'string');
  });

  it('`down` stops the platform, every app and the database: no process of this home is left', async () => {
    await haic.run(['down']);
    assert.deepEqual(await processesOf(haic), []);
    await assert.rejects(fetch(haic.url));
  });

  it('`down` of what is down is fine; `status` and `user` say how to start', async () => {
    assert.equal((await haic.cli(['down'])).code, 0);
    assert.equal((await haic.cli(['status'])).code, 1);
    const users = await haic.cli(['user', 'list']);
    assert.equal(users.code, 1);
    assert.match(users.stderr, /Haic does not run\. Start it: \.\/haic up/);
  });

  it('`up` on a port that somebody else has says so, and starts nothing', async () => {
    const squatter = createServer().listen(haic.port, '127.0.0.1');
    await once(squatter, 'listening');
    try {
      const refused = await haic.cli(['up', '--detach']);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, new RegExp(`something else listens on ${haic.port}`));
      assert.match(refused.stderr, /haic up --port N/);
      assert.deepEqual(await processesOf(haic), []);
    } finally {
      squatter.close();
    }
  });

  it('a missing master key is refused with clear words, and nothing is overwritten', async () => {
    const key = path.join(haic.home, 'secrets', 'master-key');
    const aside = `${key}.aside`;
    await rename(key, aside);
    const refused = await haic.cli(['up', '--detach']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /master-key is gone.*Restore the file from a backup/);
    await assert.rejects(readFile(key), 'no new key is made');
    await rename(aside, key);
  });

  it('two `up` at once: both end well, with one platform and one process of each role', async () => {
    const [one, two] = await Promise.all([haic.cli(['up', '--detach']), haic.cli(['up', '--detach'])]);
    for (const each of [one, two]) assert.equal(each.code, 0, each.stderr);
    const roles = (await processesOf(haic)).flatMap(
      ({ commandLine }) => /\/programs\/(\w+)\.mjs$/.exec(commandLine)?.[1] ?? [],
    );
    assert.deepEqual(roles.sort(), ['core', 'drive', 'router', 'supervisor']);
  });

  it('after `down` and `up` the instance is there again, once, with no restart counted', async () => {
    token = await haic.accessToken('ada');
    const instance = await waitForStatus(haic, token, id, 'DEPLOYED');
    assert.equal(instance.restartCount, 0);
    assert.equal(typeof (await isReachable()), 'string');
    assert.equal((await shimsOf(haic, id)).length, 1);
  });

  it('a lost administrator password is replaced by `user passwd admin`; the old one no longer works', async () => {
    const output = await haic.run(['user', 'passwd', 'admin']);
    const password = /^Password\t(\S+)/m.exec(output)?.[1] ?? '';
    const opened = await new Browser(haic.port).signIn(`${haic.url}/login`, 'admin', password);
    assert.equal(opened.url, `${haic.url}/`);
    await assert.rejects(
      new Browser(haic.port).signIn(`${haic.url}/login`, 'admin', haic.admin.password),
      /Signing in failed/,
    );
  });

  it('Ctrl-C on a foreground `up` stops the platform, and the apps go on', async () => {
    const born = await isReachable();
    await haic.run(['down']);
    const foreground = spawn(process.execPath, [cli, 'up'], {
      env: haic.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [foreground.stdout, foreground.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
    await eventually(() => (/Ctrl-C stops/.test(said) ? true : undefined));
    token = await haic.accessToken('ada');
    await waitForStatus(haic, token, id, 'DEPLOYED');
    const again = await isReachable();
    assert.notEqual(again, born);
    const shims = await shimsOf(haic, id);
    const ended = once(foreground, 'close');
    foreground.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    assert.match(said, /Stopping the platform/);
    const platform = (await processesOf(haic)).filter(({ commandLine }) =>
      commandLine.includes('/programs/'),
    );
    assert.deepEqual(platform, []);
    assert.deepEqual(await shimsOf(haic, id), shims);
    await haic.up();
    assert.equal(await isReachable(), again, 'the same process, found again');
    const { body } = await callApi<ApiInstance>(haic, token, 'GET', `/api/v1/instances/${id}`);
    assert.equal(body.restartCount, 0);
  });

  it('a database that was thrown away with its key left in place starts anew, and says a new password', async () => {
    await haic.run(['down']);
    await rm(path.join(haic.home, 'postgres'), { recursive: true });
    assert.match(await haic.run(['up', '--detach']), /^Password: /m);
  });
});
