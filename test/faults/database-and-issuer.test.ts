import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Browser } from '@haic/services/app-store/router/testing.ts';
import { callApi } from '../support/api.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import {
  appPortOf,
  askApp,
  bornOf,
  eventually,
  instanceHost,
  platformProcess,
  restarted,
  startProbe,
} from './support.ts';
import { type Watcher, watchApp } from './watcher.ts';

describe('while the database or the issuer is away', () => {
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
    assert.equal((await browser.open(`${instanceHost(haic, id)}/`)).status, 200);
    watcher = await watchApp(await appPortOf(haic, id));
  });
  after(async () => {
    await watcher?.stop();
    await haic?.stop();
  });

  const postgresPid = async (): Promise<number> =>
    Number((await readFile(path.join(haic.home, 'postgres/data/postmaster.pid'), 'utf8')).split('\n')[0]);
  const gone = (pid: number) =>
    eventually(() => {
      try {
        process.kill(pid, 0);
        return undefined;
      } catch {
        return true;
      }
    });
  const appToken = async () => {
    const answer = await askApp(haic, token, id, '/token');
    return JSON.parse(answer?.text ?? '{}') as { status: number; granted: boolean };
  };
  const appNeverNoticed = () => {
    assert.deepEqual(watcher.troubles, []);
    assert.deepEqual([...watcher.born], [born]);
  };

  it('an app refreshes its token while all is well', async () => {
    assert.deepEqual(await appToken(), { status: 200, granted: true });
  });

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    it(`PostgreSQL stopped (${signal}): apps go on, the API says what is the matter, and \`up\` mends it`, async () => {
      // A router that has just started knows nobody yet, and could ask nobody.
      await eventually(async () =>
        (await browser.open(`${instanceHost(haic, id)}/`)).status === 200 ? true : undefined,
      );
      const pid = await postgresPid();
      process.kill(pid, signal);
      await gone(pid);
      const opened = await browser.open(`${instanceHost(haic, id)}/`);
      assert.deepEqual([opened.status, JSON.parse(opened.body)], [200, { born }], 'who is in stays in');
      const answer = await callApi<{ code: string; detail: string }>(haic, token, 'GET', '/api/v1/apps');
      assert.equal(answer.status, 503, JSON.stringify(answer.body));
      assert.match(answer.body.detail, /database/i);
      assert.doesNotMatch(JSON.stringify(answer.body), /ECONNREFUSED|at .*\.ts|select /);
      appNeverNoticed();
      await haic.up();
      await eventually(async () =>
        (await callApi(haic, token, 'GET', '/api/v1/apps')).status === 200 ? true : undefined,
      );
      assert.equal((await browser.fetch(`${haic.url}/api/v1/me`)).status, 200);
      appNeverNoticed();
    });
  }

  it('the issuer restarted while the app runs: its next token refresh works again', async () => {
    const core = await platformProcess(haic, 'core');
    process.kill(core.pid, 'SIGKILL');
    const meanwhile = await appToken();
    assert.ok(meanwhile.status === 200 || meanwhile.status >= 500, 'never taken for an end of the grant');
    await restarted(haic, 'core', core);
    await eventually(async () => ((await appToken()).granted ? true : undefined));
    assert.equal((await browser.fetch(`${haic.url}/api/v1/me`)).status, 200, 'nobody was signed out');
    appNeverNoticed();
  });
});
