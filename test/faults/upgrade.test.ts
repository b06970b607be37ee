import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { haicVersion } from '@haic/kit/version.ts';
import { Browser } from '@haic/services/app-store/router/testing.ts';
import { WebSocket } from 'ws';
import { type ApiInstance, callApi } from '../support/api.ts';
import { type CommandResult, type Haic, startHaic } from '../support/haic.ts';
import {
  appPortOf,
  askApp,
  bornOf,
  eventually,
  instanceHost,
  platformNames,
  platformProcess,
  processesOf,
  shimsOf,
  startProbe,
} from './support.ts';
import { type Watcher, watchApp } from './watcher.ts';

const root = path.join(import.meta.dirname, '../..');
const newVersion = '99.0.0';
const newMigration = '9999-of-the-next-version.sql';

/** The same tree elsewhere, as another version with one more migration: what somebody has after unpacking the next release. */
async function nextVersion(): Promise<string> {
  const tree = await mkdtemp(path.join(tmpdir(), 'haic-next-'));
  for (const name of [
    'apps',
    'kit',
    'platform',
    'services',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'LICENSE',
  ])
    await cp(path.join(root, name), path.join(tree, name), {
      recursive: true,
      filter: (file) => !/\/(node_modules|dist)$|\.test\.ts$/.test(file),
    });
  // Dependencies are shared, but not what was compiled; Haic's own packages are those of the copy.
  await mkdir(path.join(tree, 'node_modules/@haic'), { recursive: true });
  for (const name of await readdir(path.join(root, 'node_modules')))
    if (name !== '@haic' && name !== '.cache')
      await symlink(path.join(root, 'node_modules', name), path.join(tree, 'node_modules', name));
  const own: Record<string, string> = { kit: 'kit', platform: 'platform', services: 'services' };
  for (const app of await readdir(path.join(tree, 'apps'))) own[app] = `apps/${app}`;
  for (const [name, folder] of Object.entries(own))
    await symlink(path.join(tree, folder), path.join(tree, 'node_modules/@haic', name));
  const version = path.join(tree, 'kit/version.ts');
  await writeFile(version, (await readFile(version, 'utf8')).replace(haicVersion, newVersion));
  await writeFile(
    path.join(tree, 'services/app-store/catalog/migrations', newMigration),
    'create table of_the_next_version (id int);',
  );
  return tree;
}

describe('an upgrade with running apps', () => {
  let haic: Haic;
  let next: string;
  let token: string;
  let id: string;
  let born: string;
  let browser: Browser;
  let watcher: Watcher;

  before(async () => {
    haic = await startHaic();
    next = await nextVersion();
    const password = await haic.addUser('ada');
    token = await haic.accessToken('ada');
    id = await startProbe(haic, token);
    born = (await bornOf(haic, token, id)) ?? '';
    browser = new Browser(haic.port);
    await browser.signIn(`${haic.url}/login`, 'ada', password);
    watcher = await watchApp(await appPortOf(haic, id));
  });
  after(async () => {
    await watcher?.stop();
    await haic?.stop();
    await rm(next, { recursive: true, force: true });
  });

  const asNext = (...args: string[]): Promise<CommandResult> =>
    promisify(execFile)(process.execPath, [path.join(next, 'apps/cli/main.ts'), ...args], {
      env: haic.environment,
    }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: CommandResult) => error,
    );
  /** As Wave's page opens its own. */
  const throughTheRouter = async (): Promise<WebSocket> => {
    const host = instanceHost(haic, id);
    const socket = new WebSocket(`ws://127.0.0.1:${haic.port}/echo`, {
      headers: { host: new URL(host).host, cookie: browser.cookieHeader(new URL(host)), origin: host },
    });
    socket.on('error', () => undefined);
    await once(socket, 'open');
    return socket;
  };
  const runningVersion = async () =>
    ((await (await fetch(`${haic.url}/version`)).json()) as { version: string }).version;

  it('`up` of the next version replaces every process of the platform; the app and its people go on', async () => {
    assert.equal(await runningVersion(), haicVersion);
    const shims = await shimsOf(haic, id);
    const before = await Promise.all(platformNames.map((name) => platformProcess(haic, name)));
    const opened = await browser.open(`${instanceHost(haic, id)}/`);
    assert.equal(opened.status, 200);

    const socket = await throughTheRouter();
    const closed = once(socket, 'close');

    let upgrading = true;
    let asked = 0;
    const lost: string[] = [];
    // What a person's page or a script does: ask again when nobody answered.
    const asking = (async () => {
      while (upgrading) {
        asked += 1;
        const answer = await eventually(async () => {
          const now = await askApp(haic, token, id);
          return now?.status === 200 ? now : undefined;
        }, 10).catch(() => undefined);
        if (answer === undefined || JSON.parse(answer.text).born !== born) lost.push(String(answer?.text));
      }
    })();
    const said = await asNext('up', '--detach');
    upgrading = false;
    await asking;

    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stderr, new RegExp(`in another build \\(${haicVersion}; this is ${newVersion}\\)`));
    assert.deepEqual(lost, []);
    assert.ok(asked > 0);
    const now = await Promise.all(platformNames.map((name) => platformProcess(haic, name)));
    for (const [index, name] of platformNames.entries()) assert.notDeepEqual(now[index], before[index], name);
    assert.equal(await runningVersion(), newVersion);
    await closed;
    const reopened = await throughTheRouter();
    const [first] = await once(reopened, 'message');
    assert.equal(
      String(first).split(' ')[0],
      born,
      'a WebSocket through the router is closed and opens again',
    );
    reopened.terminate();
    assert.deepEqual(await shimsOf(haic, id), shims, 'the very same process of the app');
    const { body } = await callApi<ApiInstance>(haic, token, 'GET', `/api/v1/instances/${id}`);
    assert.deepEqual([body.status, body.restartCount], ['DEPLOYED', 0]);
    assert.deepEqual(watcher.troubles, [], 'a WebSocket to the app itself has not noticed');
  });

  it('nobody is signed out by it, at the portal or at the app', async () => {
    const session = await browser.fetch(`${haic.url}/session`);
    assert.equal(JSON.parse(session.body).username, 'ada');
    const app = await browser.open(`${instanceHost(haic, id)}/`);
    assert.deepEqual([app.status, JSON.parse(app.body)], [200, { born }]);
  });

  it('a second `up` of the same version replaces nothing', async () => {
    const before = await Promise.all(platformNames.map((name) => platformProcess(haic, name)));
    const said = await asNext('up', '--detach');
    assert.match(said.stderr, /runs already; waiting/);
    assert.deepEqual(await Promise.all(platformNames.map((name) => platformProcess(haic, name))), before);
  });

  it('the way back is refused in clear words, while it runs and when it is down; nothing is touched', async () => {
    const words = new RegExp(`made by a newer Haic than this one: it has catalog/${newMigration}`);
    const while_ = await haic.cli(['up', '--detach']);
    assert.deepEqual([while_.code, words.test(while_.stderr)], [1, true], while_.stderr);
    assert.equal(await bornOf(haic, token, id), born);
    assert.equal(await runningVersion(), newVersion);
    await watcher.stop();
    await haic.run(['down']);
    const down = await haic.cli(['up', '--detach']);
    assert.deepEqual([down.code, words.test(down.stderr)], [1, true], down.stderr);
    assert.match(down.stderr, /restore a backup that was made before the upgrade/);
    const left = (await processesOf(haic)).filter(({ commandLine }) => !commandLine.includes('postgres'));
    assert.deepEqual(left, []);
  });
});
