import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Browser } from '@haic/services/app-store/router/testing.ts';
import { type ApiInstance, callApi } from '../support/api.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import {
  appPortOf,
  askApp,
  bornOf,
  eventually,
  instanceHost,
  killHard,
  platformNames,
  platformProcess,
  processesOf,
  restarted,
  shimsOf,
  startProbe,
} from './support.ts';
import { type Watcher, watchApp } from './watcher.ts';

describe('when processes of the platform are killed', () => {
  let haic: Haic;
  let token: string;
  let id: string;
  let born: string;
  let watcher: Watcher;
  let browser: Browser;

  before(async () => {
    haic = await startHaic();
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
  });

  /** The app's own process has heard nothing of it, and is reachable by its person. */
  const appNeverNoticed = async () => {
    const before = watcher.heard();
    await eventually(() => {
      const now = watcher.heard();
      return watcher.troubles.length > 0 || (now.messages > before.messages && now.answers > before.answers)
        ? true
        : undefined;
    }, 10);
    assert.deepEqual(watcher.troubles, []);
    assert.deepEqual([...watcher.born], [born]);
    assert.equal((await shimsOf(haic, id)).length, 1, 'one attempt of the instance runs');
    const { body } = await callApi<ApiInstance>(haic, token, 'GET', `/api/v1/instances/${id}`);
    assert.deepEqual([body.status, body.restartCount], ['DEPLOYED', 0]);
    assert.equal(await bornOf(haic, token, id), born);
  };
  const sessionWorks = async () => {
    const session = await browser.fetch(`${haic.url}/session`);
    assert.equal(JSON.parse(session.body).username, 'ada');
    const me = await browser.fetch(`${haic.url}/api/v1/me`);
    assert.deepEqual([me.status, JSON.parse(me.body).username], [200, 'ada']);
    const app = await browser.open(`${instanceHost(haic, id)}/`);
    assert.deepEqual([app.status, JSON.parse(app.body)], [200, { born }]);
  };

  it('the app can be opened by a signed-in person before anything happens', async () => {
    await appNeverNoticed();
    await sessionWorks();
  });

  it('every one of them killed: apps never notice, and `up` finds everything again', async () => {
    const shims = await shimsOf(haic, id);
    await killHard(haic, platformNames);
    const rest = (await processesOf(haic)).filter(({ commandLine }) => commandLine.includes('/programs/'));
    assert.deepEqual(rest, [], 'no process of the platform is left');
    await haic.up();
    assert.deepEqual(await shimsOf(haic, id), shims, 'the very same process');
    await appNeverNoticed();
    await sessionWorks();
  });

  it('the supervisor alone killed: all goes on, and `up` starts another that supervises', async () => {
    await killHard(haic, ['supervisor']);
    await appNeverNoticed();
    await sessionWorks();
    await haic.up();
    const router = await platformProcess(haic, 'router');
    await killHard(haic, ['router']);
    await restarted(haic, 'router', router);
    await eventually(async () => ((await bornOf(haic, token, id)) === undefined ? undefined : true), 20);
    await appNeverNoticed();
  });

  it('the router killed: it is back within seconds, with all sessions', async () => {
    const router = await platformProcess(haic, 'router');
    await killHard(haic, ['router']);
    await eventually(async () => ((await bornOf(haic, token, id)) === undefined ? undefined : true), 20);
    assert.notEqual((await restarted(haic, 'router', router)).pid, router.pid);
    await appNeverNoticed();
    await sessionWorks();
  });

  it('core killed: apps stay reachable, the API says 503 in so many words, and recovers', async () => {
    const core = await platformProcess(haic, 'core');
    await killHard(haic, ['core']);
    const opened = await browser.open(`${instanceHost(haic, id)}/`);
    assert.deepEqual([opened.status, JSON.parse(opened.body)], [200, { born }]);
    const api = await callApi<{ code: string; detail: string; status: number }>(
      haic,
      token,
      'GET',
      '/api/v1/apps',
    );
    assert.deepEqual([api.status, api.body.code], [503, 'core_unavailable']);
    assert.match(api.body.detail, /restarting/);
    await restarted(haic, 'core', core);
    await eventually(async () =>
      (await callApi(haic, token, 'GET', '/api/v1/apps')).status === 200 ? true : undefined,
    );
    await appNeverNoticed();
    await sessionWorks();
  });

  it('drive killed: nothing else is touched, and it is back', async () => {
    const drive = await platformProcess(haic, 'drive');
    await killHard(haic, ['drive']);
    await appNeverNoticed();
    await restarted(haic, 'drive', drive);
    const health = () =>
      fetch(`http://127.0.0.1:${haic.port + 2}/healthz`).then(
        ({ status }) => (status === 200 ? true : undefined),
        () => undefined,
      );
    await eventually(health);
  });

  it('core and router killed again and again: still one process of the app, and nobody signed out', async () => {
    for (let round = 0; round < 2; round += 1) {
      const before = await Promise.all([platformProcess(haic, 'core'), platformProcess(haic, 'router')]);
      await killHard(haic, ['core', 'router']);
      await restarted(haic, 'core', before[0]);
      await restarted(haic, 'router', before[1]);
    }
    await eventually(async () => ((await askApp(haic, token, id))?.status === 200 ? true : undefined));
    await eventually(async () =>
      (await callApi(haic, token, 'GET', '/api/v1/apps').catch(() => ({ status: 0 }))).status === 200
        ? true
        : undefined,
    );
    await appNeverNoticed();
    await sessionWorks();
  });
});
