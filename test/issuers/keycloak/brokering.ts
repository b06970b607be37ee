import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type BrowserProfile, openBrowser } from '../../support/browser.ts';
import {
  addOpenIdProvider,
  addSamlProvider,
  type ForeignProvider,
  signingCertificateOf,
} from '../foreign-providers.ts';
import { fillKeycloakSignIn, type KeycloakWorld, portalApi } from '../world.ts';

interface Me {
  readonly subject: string;
  readonly username: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly fullAccess: boolean;
}

/** Another OpenID provider and a SAML provider behind the Keycloak, set up as docs/keycloak.md says. */
export function brokering(theWorld: () => KeycloakWorld): void {
  let world: KeycloakWorld;
  let corp: ForeignProvider;
  let partner: ForeignProvider;
  before(async () => {
    world = theWorld();
    corp = await addOpenIdProvider(world.keycloak, ['linus', 'ada']);
    partner = await addSamlProvider(world.keycloak, ['marie']);
  });

  const withBrowser = async (work: (page: Page, profile: BrowserProfile) => Promise<void>) => {
    const profile = await openBrowser();
    try {
      await work(await profile.page(), profile);
    } finally {
      await profile.close();
    }
  };
  const chooseProvider = async (page: Page, provider: ForeignProvider) => {
    await page.goto(`${world.haic.url}/login?next=/`);
    await page.locator(`#social-${provider.alias}`).click();
  };
  const signInBy = async (page: Page, provider: ForeignProvider) => {
    await chooseProvider(page, provider);
    await fillKeycloakSignIn(page, provider.person);
    await page.getByRole('button', { name: /^Account of/ }).waitFor();
  };
  const me = async (profile: BrowserProfile) =>
    (await portalApi<Me>(world, profile.context, 'GET', '/api/v1/me')).body;
  const signOut = async (page: Page) => {
    await page.goto(world.haic.url);
    await page.getByRole('button', { name: /^Account of/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Sign in' }).waitFor();
  };

  test('a person of an OpenID provider comes in, with role and groups; signing out signs out there', async () => {
    await withBrowser(async (page, profile) => {
      await signInBy(page, corp);
      const { username, groups, fullAccess } = await me(profile);
      assert.deepEqual(
        { username, groups, fullAccess },
        { username: 'linus', groups: ['analysts'], fullAccess: true },
      );
      await signOut(page);
      await chooseProvider(page, corp);
      // Still signed in at the provider, this would not ask.
      await page.locator('#password').waitFor();
    });
  });

  test('a person of a SAML provider comes in, with name, role and groups; signing out signs out there', async () => {
    await withBrowser(async (page, profile) => {
      await signInBy(page, partner);
      const { username, name, groups, fullAccess } = await me(profile);
      assert.deepEqual(
        { username, name, groups, fullAccess },
        { username: 'marie', name: 'marie of partner', groups: ['analysts'], fullAccess: true },
      );
      await signOut(page);
      await chooseProvider(page, partner);
      await page.locator('#password').waitFor();
    });
  });

  test('who has an account already links it at the first sign-in by proving both, and stays the same person', async () => {
    const ada = world.person('ada');
    let before: Me | undefined;
    await withBrowser(async (page, profile) => {
      await page.goto(`${world.haic.url}/login?next=/`);
      await fillKeycloakSignIn(page, ada);
      await page.getByRole('button', { name: /^Account of/ }).waitFor();
      before = await me(profile);
    });
    await withBrowser(async (page, profile) => {
      await chooseProvider(page, corp);
      await fillKeycloakSignIn(page, { username: 'ada', password: 'corp password of ada' });
      await page.locator('#linkAccount').click();
      await page.locator('#password').fill(ada.password);
      await page.locator('#kc-login').click();
      await page.getByRole('button', { name: /^Account of/ }).waitFor();
      assert.equal((await me(profile)).subject, before?.subject);
    });
  });

  test('an assertion that another key signed lets nobody in', async () => {
    const address = `/identity-provider/instances/${partner.alias}`;
    const provider = await world.keycloak.admin<{ config: Record<string, string> }>('GET', 'haic', address);
    const config = {
      ...provider.config,
      signingCertificate: await signingCertificateOf(world.keycloak, 'haic'),
    };
    await world.keycloak.admin('PUT', 'haic', address, { ...provider, config });
    await withBrowser(async (page, profile) => {
      await chooseProvider(page, partner);
      await fillKeycloakSignIn(page, partner.person);
      await page
        .getByText(/invalid|error|sorry/i)
        .first()
        .waitFor();
      const session = await (await profile.context.request.get(`${world.haic.url}/session`)).json();
      assert.deepEqual(session, { signedIn: false });
    });
  });
}
