import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import type { Page } from 'playwright-core';
import { bundleOf } from '../faults/support.ts';
import { type BrowserProfile, openBrowser } from '../support/browser.ts';
import { bundleSample, execute } from '../support/haic.ts';
import { pythonWith } from '../support/python.ts';
import { foreignClients } from './foreign-clients.ts';
import { keeping } from './keeping.ts';
import { importAndRun, portalApi, signInAt, type World } from './world.ts';

const officialClients = path.join(import.meta.dirname, '../clients/official_clients.py');
const requirements = ['h2o-cloud-discovery==3.3.0', 'h2o-authn==3.1.0'];
/** "Ends within 5 s" is what is promised (security.md 7). */
const promised = 5000;

/** What must be the same whoever the issuer is (design decision 4); `more` is what only this one has. */
export function issuerSuite<W extends World>(
  name: string,
  makeWorld: () => Promise<W>,
  more: (world: () => W) => void = () => undefined,
): void {
  describe(`Haic with ${name}`, () => {
    let world: W;
    let ada: BrowserProfile;
    let grace: BrowserProfile;
    let adaPage: Page;
    let gracePage: Page;
    before(async () => {
      world = await makeWorld();
      [ada, grace] = [await openBrowser(), await openBrowser()];
      [adaPage, gracePage] = [await ada.page(), await grace.page()];
    });
    after(async () => {
      await ada?.close();
      await grace?.close();
      await world?.stop();
    });

    test('people sign in there, and arrive with their roles and groups', async () => {
      await signInAt(world, adaPage, world.person('ada'));
      const { body } = await portalApi<Record<string, unknown>>(world, ada.context, 'GET', '/api/v1/me');
      assert.equal(body.username, 'ada');
      assert.deepEqual([...(body.groups as string[])].toSorted(), ['analysts', 'science']);
      assert.equal(body.isAdmin, false);
      assert.equal(body.fullAccess, true);
    });

    test('a role of the issuer is what makes an administrator, or a visitor', async () => {
      const facts: unknown[] = [];
      for (const who of ['root', 'guest'] as const) {
        const profile = await openBrowser();
        const page = await profile.page();
        await signInAt(world, page, world.person(who));
        const { body } = await portalApi<Record<string, unknown>>(
          world,
          profile.context,
          'GET',
          '/api/v1/me',
        );
        const imports = await portalApi(world, profile.context, 'POST', '/api/v1/apps', bundleOf());
        const offered = await placesOf(page);
        facts.push([body.username, body.isAdmin, body.fullAccess, imports.status, offered]);
        await profile.close();
      }
      assert.deepEqual(facts, [
        ['root', true, true, 201, world.peopleAreHere ? ['People', 'All apps'] : ['All apps']],
        ['guest', false, false, 403, []],
      ]);
    });

    test('whoever runs the machine looks after people here, or is told where that is done', async () => {
      const { code, stderr } = await world.haic.cli(['user', 'list']);
      assert.equal(code, world.peopleAreHere ? 0 : 1);
      if (!world.peopleAreHere) assert.ok(stderr.includes(world.issuer), stderr);
    });

    test("two people in one app: waved's own sign-in shows each their name", async () => {
      const bundle = await readFile(await bundleSample(world.haic, 'who-am-i'));
      const { url } = await importAndRun(world, ada.context, bundle, 'ALL_USERS');
      await adaPage.goto(url);
      await adaPage.getByText('You are ada', { exact: true }).waitFor();
      // Grace begins at the app's own address, with no session anywhere.
      await gracePage.goto(url);
      await world.fillSignIn(gracePage, world.person('grace'));
      await gracePage.getByText('You are grace', { exact: true }).waitFor();
      await adaPage.reload();
      await adaPage.getByText('You are ada', { exact: true }).waitFor();
      await adaPage.getByRole('button', { name: 'Refresh the token' }).click();
      await adaPage.getByText('Refreshed: the new token of').waitFor();
    });

    test('the code of an app acts for its owner once they opened it, and no longer when others may', async () => {
      const { id, url } = await importAndRun(world, ada.context, bundleOf({ name: 'acting' }), 'PRIVATE');
      const askApp = async () => {
        await adaPage.goto(`${url}token`);
        return JSON.parse(await adaPage.locator('body').innerText()) as { status: number; granted: boolean };
      };
      assert.deepEqual(await askApp(), { status: 200, granted: true });
      const widened = await portalApi(world, ada.context, 'PATCH', `/api/v1/instances/${id}`, {
        visibility: 'ALL_USERS',
      });
      assert.equal(widened.status, 200);
      assert.deepEqual(await askApp(), { status: 400, granted: false });
    });

    test('an app has a client of its own at the issuer, which ends with the instance', async () => {
      const { id } = await importAndRun(world, ada.context, bundleOf({ name: 'registered' }), 'PRIVATE');
      const clientId = `haic-app-${id}`;
      const ask = async () => {
        const response = await fetch(
          `${world.issuer}/protocol/openid-connect/auth?${new URLSearchParams({
            client_id: clientId,
            response_type: 'code',
            scope: 'openid',
            redirect_uri: `http://${id}.localhost:${world.haic.port}/_auth/callback`,
          })}`,
          { redirect: 'manual' },
        );
        await response.arrayBuffer();
        return response.status;
      };
      const known = await ask();
      assert.ok(known === 200 || known === 302 || known === 303, `the issuer answered ${known}`);
      const ended = await portalApi(world, ada.context, 'DELETE', `/api/v1/instances/${id}`);
      assert.ok(ended.status < 300, `terminating answered ${ended.status}`);
      const gone = async () => ((await ask()) >= 400 ? true : undefined);
      await until(gone, { everyMs: 200, signal: deadline(20_000) });
      assert.ok(!(await world.appClients()).includes(clientId));
    });

    test('the official clients work with a platform token fetched in the portal', async () => {
      await adaPage.goto(`${world.haic.url}/auth/get-platform-token`);
      await adaPage.waitForURL(/\/cli-and-api-access/);
      const python = await pythonWith(requirements);
      const token = await shownToken(adaPage);
      const found = JSON.parse(
        await execute(python, [officialClients, 'sync', 'environment'], {
          PATH: '/usr/bin:/bin',
          H2O_CLOUD_ENVIRONMENT: world.haic.url,
          H2O_CLOUD_CLIENT_PLATFORM_TOKEN: token,
        }),
      );
      assert.deepEqual(
        { issuer: found.issuer, username: found.username, party: found.party },
        { issuer: world.issuer, username: 'ada', party: 'haic-platform' },
      );
      const config = path.join(world.haic.home, 'cli.toml');
      await writeFile(
        config,
        `Endpoint = "${world.haic.url}"\nPlatformClientID = "haic-platform"\nPlatformToken = "${token}"\n`,
      );
      assert.match(await world.haic.run(['app', 'list', '--conf', config]), /Who am I/);

      // The command line's own kind of token.
      await adaPage.goto(`${world.haic.url}/auth/get-token`);
      await adaPage.waitForURL(/\/cli-and-api-access/);
      const cliToken = await shownToken(adaPage);
      await writeFile(
        config,
        `Endpoint = "${world.haic.url}"\nClientID = "haic-cli"\nToken = "${cliToken}"\n`,
      );
      assert.match(await world.haic.run(['app', 'list', '--conf', config]), /Who am I/);
    });

    foreignClients(() => world);

    keeping(
      () => world,
      () => adaPage,
      () => gracePage,
    );

    test('7 sessions that the issuer ends are over in the portal and in every app within 5 s', async () => {
      const second = await importAndRun(world, ada.context, bundleOf({ name: 'second' }), 'ALL_USERS');
      const other = await grace.page();
      await other.goto(second.url);
      const isOpen = () =>
        other.evaluate(async () => (await fetch(location.href, { redirect: 'manual' })).status === 200);
      assert.equal(await isOpen(), true);
      const socket = gracePage.waitForEvent('websocket', (opened) => opened.url().includes('/_s/'));
      await gracePage.reload();
      const live = await socket;
      const closed = live.isClosed() ? Promise.resolve() : live.waitForEvent('close');
      const since = Date.now();
      await world.endSessionsOf('grace');
      await closed;
      const isOver = async () => ((await isOpen()) ? undefined : true);
      await until(isOver, { everyMs: 100, signal: deadline(promised) });
      assert.ok(Date.now() - since < promised);
      const answer = await grace.context.request.get(`${world.haic.url}/session`);
      assert.deepEqual(await answer.json(), { signedIn: false });
    });

    test('signing out in the portal signs out at the issuer: the next one types a password', async () => {
      await adaPage.goto(world.haic.url);
      await adaPage.getByRole('button', { name: /^Account of/ }).click();
      await adaPage.getByRole('menuitem', { name: 'Sign out' }).click();
      await adaPage.getByRole('link', { name: 'Sign in' }).click();
      await world.fillSignIn(adaPage, world.person('root'));
      await adaPage.waitForURL(`${world.haic.url}/**`);
      const { body } = await portalApi<{ username: string }>(world, ada.context, 'GET', '/api/v1/me');
      assert.equal(body.username, 'root');
    });

    test('whom the issuer disabled does not come in again', async () => {
      await world.disable('guest');
      const profile = await openBrowser();
      const page = await profile.page();
      await page.goto(`${world.haic.url}/login?next=/`);
      await world.fillSignIn(page, world.person('guest'));
      await page
        .getByText(/disabled|incorrect|invalid|wrong/i)
        .first()
        .waitFor();
      const session = await (await profile.context.request.get(`${world.haic.url}/session`)).json();
      assert.deepEqual(session, { signedIn: false });
      await profile.close();
    });

    more(() => world);
  });
}

/** Pages of administration that the navigation offers, of two that tell. */
async function placesOf(page: Page): Promise<readonly string[]> {
  const navigation = page.getByRole('navigation', { name: 'Main' });
  await navigation.getByRole('link', { name: 'My instances' }).waitFor();
  const offered = await navigation.getByRole('link').allInnerTexts();
  return ['People', 'All apps'].filter((name) => offered.includes(name));
}

/** The page shows a token once, masked, to be copied. */
async function shownToken(page: Page): Promise<string> {
  const section = page.getByRole('region', { name: 'Your new token' });
  await section.getByRole('button', { name: 'Show' }).click();
  return (await page.getByTestId('token').innerText()).trim();
}
