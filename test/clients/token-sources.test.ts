import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { Browser } from '@haic/services/app-store/router/testing.ts';
import {
  type ForeignProvider,
  foreignClient,
  startForeignProvider,
} from '@haic/services/identity/brokering/foreign-provider.ts';
import { picture } from '../browser/support.ts';
import { askApp, importApp } from '../faults/support.ts';
import { runApp, waitForStatus } from '../support/api.ts';
import { openBrowser, signIn } from '../support/browser.ts';
import { execute, type Haic, startHaic } from '../support/haic.ts';
import { pythonWith } from '../support/python.ts';

const packages = ['h2o-secure-store==1.4.2', 'h2o-cloud-discovery==3.3.0', 'h2o-authn==3.1.0'];
const script = path.join(import.meta.dirname, 'token_sources.py');

describe('accounts at another provider, by the official h2o-secure-store, a browser and an app', () => {
  let haic: Haic;
  let corp: ForeignProvider;
  let python: string;
  let password: string;
  let loginUri: string;
  let instance: string;

  before(async () => {
    python = await pythonWith(packages);
    haic = await startHaic();
    corp = await startForeignProvider([`${haic.url}/api/connections/corp/callback`]);
    corp.person = { sub: 'c-1', preferred_username: 'ada.at.corp', name: 'Ada at Corp' };
    password = await haic.addUser('ada');
    await haic.addUser('mallory');
  });
  after(async () => {
    await haic?.stop();
    await corp?.stop();
  });

  const use = async (username: string, what: string) => {
    const env = {
      ...{ PATH: '/usr/bin:/bin', TEST_URL: haic.url, TEST_ISSUER: corp.issuer },
      ...{ TEST_CLIENT_ID: foreignClient.id, TEST_CLIENT_SECRET: foreignClient.secret },
      TEST_TOKEN: (await haic.run(['token', '--user', username])).trim(),
    };
    return JSON.parse(await execute(python, [script, what], env));
  };

  it('an administrator makes, reads, changes, lists and deletes OAuth clients', async () => {
    assert.deepEqual(await use('admin', 'administer'), {
      same: true,
      id: 'corp',
      callback: `${haic.url}/api/connections/corp/callback`,
      secret: ['', true],
      scopes: [['email'], []],
      updated: ['Corp & Sons', true, null, true],
      claim: 'preferred_username',
      pages: [1, true],
      all: 2,
      taken: '409 6',
      bad: '400 3',
      deleted: null,
    });
  });

  it('a person makes token sources, which need a login at first', async () => {
    const made = await use('ada', 'connect');
    loginUri = made.login_uri;
    assert.ok(loginUri.startsWith(`${haic.url}/api/connections/login/`));
    assert.deepEqual(made, {
      ...{ name: 'oauthClients/corp/tokenSources/mine', login_required: true, login_uri: loginUri },
      ...{ access_token: '', login_principal: '', subject: '', times: [false, false, false] },
      ...{ page: 1, all: 2, refused: '403 7' },
    });
  });

  it('the browser of the person who made it goes to the provider and back, after signing in to Haic', async () => {
    const browser = new Browser(haic.port);
    const atSignIn = await browser.open(loginUri);
    assert.match(atSignIn.body, /name="password"/);
    const signedIn = await browser.submit(atSignIn.url, { username: 'ada', password });
    const callback = await throughProvider(await upTo(browser, signedIn.location));
    assert.ok(callback.startsWith(`${haic.url}/api/connections/corp/callback?`));
    // What was caught on the way is worth nothing in another browser, even of the same person.
    const other = new Browser(haic.port);
    await other.signIn(`${haic.url}/login`, 'ada', password);
    assert.equal((await other.fetch(callback)).status, 400);
    const end = await browser.open(callback);
    assert.deepEqual([end.status, /Connected with Corp &amp; Sons/.test(end.body)], [200, true], end.body);
    assert.match(end.body, /ada\.at\.corp/);

    const { access_token: token, ...source } = await use('ada', 'look');
    assert.ok(token.length > 20);
    assert.deepEqual(source, {
      ...{ name: 'oauthClients/corp/tokenSources/mine', login_required: false, login_uri: loginUri },
      ...{ login_principal: 'ada.at.corp', subject: 'c-1', times: [true, true, true] },
    });
  });

  it('nobody else’s browser begins that login', async () => {
    const browser = new Browser(haic.port);
    await browser.signIn(`${haic.url}/login`, 'admin', haic.admin.password);
    const page = await browser.open(loginUri);
    assert.equal(page.status, 403);
    assert.match(page.body, /belongs to somebody else/);
    await assert.rejects(use('mallory', 'look'), /404/);
  });

  it('an app of that person asks a resource that the provider guards, as them', async () => {
    const token = await haic.accessToken('ada');
    const runtime = ['MemoryLimit = "512Mi"', '[[Env]]', 'Name = "RESOURCE"', `Value = "${corp.issuer}/me"`];
    const app = await importApp(haic, token, {
      ...{ name: 'foreign', runtime },
      source: await readFile(path.join(import.meta.dirname, 'foreign_resource_app.py'), 'utf8'),
      files: [{ name: 'requirements.txt', content: `${packages.join('\n')}\n` }],
    });
    instance = (await runApp(haic, token, app)).id;
    await waitForStatus(haic, token, instance, 'DEPLOYED', 240);
    const answer = await askApp(haic, token, instance, '/ask');
    assert.equal(answer?.status, 200, answer?.text);
    const { sub, preferred_username: name } = JSON.parse(answer?.text ?? '');
    assert.deepEqual([sub, name], ['c-1', 'ada.at.corp']);
  });

  it('they are deleted', async () => {
    assert.deepEqual(await use('ada', 'clear'), { before: 1, after: 0 });
  });

  it('in the portal a person connects an account, and her app has its token until she disconnects it', async () => {
    const profile = await openBrowser();
    try {
      const page = await profile.page();
      await signIn(page, haic.url, 'ada', password);
      const askResource = async () => askApp(haic, await haic.accessToken('ada'), instance, '/ask');
      assert.notEqual((await askResource())?.status, 200, 'nothing is connected');

      await page.getByRole('link', { name: 'Connected accounts' }).click();
      await page.getByText('No connected accounts yet').waitFor();
      await page.getByRole('button', { name: 'Connect an account' }).click();
      await page.getByRole('radio', { name: 'Corp & Sons' }).and(page.locator(':checked')).waitFor();
      assert.equal(await page.getByRole('textbox', { name: 'Name' }).inputValue(), 'mine');
      await page.getByRole('button', { name: 'Log in there' }).click();
      await page.getByRole('status').getByText('Connected with Corp & Sons').waitFor();
      await page.getByText('You are logged in there as ada.at.corp.').waitFor();
      assert.equal(new URL(page.url()).origin, haic.url);

      const answer = await askResource();
      assert.equal(answer?.status, 200, answer?.text);
      assert.equal(JSON.parse(answer?.text ?? '').sub, 'c-1');
      const { access_token: token } = await use('ada', 'look');
      const whoAmI = () => fetch(`${corp.issuer}/me`, { headers: { authorization: `Bearer ${token}` } });
      assert.equal((await whoAmI()).status, 200);
      const shown: string[] = [];
      page.on('response', async (response) => {
        if (response.url().includes('/api/v1/')) shown.push(await response.text().catch(() => ''));
      });
      await page.reload();
      await page
        .getByRole('row', { name: /corp\/mine/ })
        .getByText('just now')
        .first()
        .waitFor();
      await picture(page, 'accounts');

      await page.getByRole('button', { name: 'Actions for corp/mine' }).click();
      await page.getByRole('menuitem', { name: 'Disconnect' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
      await page.getByText('No connected accounts yet').waitFor();
      assert.notEqual((await askResource())?.status, 200, 'disconnected');
      await until(async () => ((await whoAmI()).status === 401 ? true : undefined), {
        ...{ everyMs: 200, signal: deadline(20_000) },
      });
      assert.ok(shown.some((text) => text.includes('ada.at.corp')));
      assert.doesNotMatch(shown.join(), new RegExp(token));

      await page.goto(`${haic.url}/account/activity`);
      for (const deed of ['connected', 'used', 'disconnected'])
        await page.getByText(`${deed} an account elsewhere`).first().waitFor();
    } finally {
      await profile.close();
    }
  });

  it('the trail has all of it, by whom and with which account', async () => {
    const wanted = ['CREATE', 'LOGIN', 'GET', 'DELETE'].map(
      (verb) => `actions/securestore/tokenSources/${verb}`,
    );
    const told = await until(
      async () => {
        const filter = { actionRegex: 'securestore/tokenSources' };
        const response = await fetch(`${haic.url}/audit-trail/v1/events:search`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${await haic.accessToken('admin')}`,
            'content-type': 'application/json',
          },
          body: JSON.stringify({ filter, pageSize: 100 }),
        });
        const { events } = (await response.json()) as { events: { action: string; resource: string }[] };
        const of = events.filter(({ resource }) => resource.endsWith('oauthClients/corp/tokenSources/mine'));
        const actions = of.map(({ action }) => action);
        // Once by the client's and the portal's ways each.
        return actions.filter((action) => action.endsWith('/DELETE')).length === 2 ? actions : undefined;
      },
      { everyMs: 500, signal: deadline(30_000) },
    );
    for (const action of wanted) assert.ok(told.filter((each) => each === action).length >= 2, action);
  });

  it('they are invalidated and gone with their client', async () => {
    assert.deepEqual(await use('admin', 'end'), { before: 1, after: 0 });
  });

  /** Follows redirects at Haic until one leads elsewhere. */
  async function upTo(browser: Browser, from: string): Promise<string> {
    let at = from;
    for (let hops = 0; hops < 10 && new URL(at).host === new URL(haic.url).host; hops++)
      at = (await browser.fetch(at)).location;
    return at;
  }

  /** The pages of the provider, which asks nothing, back to Haic. */
  async function throughProvider(from: string): Promise<string> {
    const jar = new Map<string, string>();
    let at = from;
    for (let hops = 0; hops < 10 && new URL(at).host !== new URL(haic.url).host; hops++) {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await fetch(at, { redirect: 'manual', headers: { cookie } });
      for (const line of answer.headers.getSetCookie()) {
        const [pair = ''] = line.split(';');
        jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
      }
      at = new URL(answer.headers.get('location') ?? '', at).href;
    }
    return at;
  }
});
