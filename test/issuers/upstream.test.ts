import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type BrowserProfile, fillSignIn, openBrowser } from '../support/browser.ts';
import { type Haic, placeForHaic } from '../support/haic.ts';
import { type Keycloak, startKeycloak } from '../support/keycloak.ts';
import { addRealmWithClient, type ForeignProvider } from './foreign-providers.ts';
import { fillKeycloakSignIn } from './world.ts';

/** As docs/own-accounts.md sets it up; the provider is a realm of a Keycloak that knows nothing of Haic but one client. */
describe("Haic's own issuer that brokers an OpenID provider", () => {
  let keycloak: Keycloak;
  let haic: Haic;
  let corp: ForeignProvider;
  let adaPassword: string;
  before(async () => {
    keycloak = await startKeycloak();
    const alias = 'corp';
    const client = { id: 'haic', secret: 'known to both sides' };
    haic = await placeForHaic({
      HAIC_UPSTREAM_ISSUERS: JSON.stringify([
        {
          alias,
          title: 'Corp',
          issuer: keycloak.issuer(alias),
          clientId: client.id,
          clientSecret: client.secret,
          everybody: ['user'],
          groupClaim: 'groups',
          newPeople: true,
        },
      ]),
    });
    const endpoint = `${haic.url}/auth/realms/haic/broker/${alias}/endpoint`;
    corp = await addRealmWithClient(keycloak, { alias, usernames: ['linus', 'ada'], client, endpoint });
    await haic.up();
    adaPassword = await haic.addUser('ada');
  });
  after(async () => {
    await haic?.stop();
    await keycloak?.stop();
  });

  const withBrowser = async (work: (page: Page, profile: BrowserProfile) => Promise<void>) => {
    const profile = await openBrowser();
    try {
      await work(await profile.page(), profile);
    } finally {
      await profile.close();
    }
  };
  const chooseCorp = async (page: Page) => {
    await page.goto(`${haic.url}/login?next=/`);
    await page.getByRole('link', { name: 'Sign in with Corp' }).click();
  };
  const account = (page: Page) => page.getByRole('button', { name: /^Account of/ });
  const me = async (profile: BrowserProfile) =>
    (await (await profile.context.request.get(`${haic.url}/api/v1/me`)).json()) as {
      subject: string;
      username: string;
      groups: string[];
      fullAccess: boolean;
    };

  test('a person of the provider comes in, with role and groups; signing out signs out there', async () => {
    await withBrowser(async (page, profile) => {
      await chooseCorp(page);
      await fillKeycloakSignIn(page, corp.person);
      await account(page).waitFor();
      const { username, groups, fullAccess } = await me(profile);
      assert.deepEqual(
        { username, groups, fullAccess },
        { username: 'linus', groups: ['analysts'], fullAccess: true },
      );
      await account(page).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
      await page.getByRole('link', { name: 'Sign in' }).waitFor();
      await chooseCorp(page);
      // Still signed in at the provider, this would not ask.
      await page.locator('#kc-login').waitFor();
    });
  });

  test('who has an account proves it by its password once, and the provider is enough from then on', async () => {
    const ada = { username: 'ada', password: 'corp password of ada' };
    let subject = '';
    await withBrowser(async (page, profile) => {
      await chooseCorp(page);
      await fillKeycloakSignIn(page, ada);
      await page.getByRole('heading', { name: 'Is this your account?' }).waitFor();
      await page.getByLabel('Password', { exact: true }).fill(adaPassword);
      await page.keyboard.press('Enter');
      await account(page).waitFor();
      subject = (await me(profile)).subject;
    });
    await withBrowser(async (page, profile) => {
      await chooseCorp(page);
      await fillKeycloakSignIn(page, ada);
      await account(page).waitFor();
      assert.equal((await me(profile)).subject, subject);
    });
    await withBrowser(async (page, profile) => {
      await page.goto(`${haic.url}/login?next=/`);
      await fillSignIn(page, 'ada', adaPassword);
      await account(page).waitFor();
      assert.equal((await me(profile)).subject, subject);
    });
  });
});
