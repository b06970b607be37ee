import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { messageOf } from '@haic/kit/errors.ts';
import type { Page } from 'playwright-core';
import { callApi, importBundle, runApp, waitForStatus } from '../support/api.ts';
import { fillSignIn, openBrowser, seenOn } from '../support/browser.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { type Keycloak, startKeycloak } from '../support/keycloak.ts';
import { type Partner, startPartner } from './partner.ts';

const sample = path.join(import.meta.dirname, '../../samples/partner-data');
const people = ['ada', 'grace', 'nobody'] as const;
type Name = (typeof people)[number];

describe('An app that calls what another organisation guards, as its person', () => {
  let keycloak: Keycloak;
  let haic: Haic;
  let partner: Partner;
  let appId: string;
  let url: string;
  const passwords = new Map<Name, string>();

  before(async () => {
    [keycloak, haic] = await Promise.all([startKeycloak(), startHaic()]);
    for (const name of people) passwords.set(name, await haic.addUser(name));
    partner = await startPartner(keycloak, `${haic.url}/auth/realms/haic`);
    await partner.know({
      username: 'lovelace',
      name: { first: 'Ada', last: 'King' },
      subject: await subjectOf('ada'),
    });
    await partner.know({
      username: 'hopper',
      name: { first: 'Grace', last: 'Murray' },
      subject: await subjectOf('grace'),
    });
    const token = await haic.accessToken('ada');
    appId = (await importBundle(haic, token, await bundleFor(partner), 'ALL_USERS')).id;
    const instance = await runApp(haic, token, appId, 'ALL_USERS');
    url = (await waitForStatus(haic, token, instance.id, 'DEPLOYED')).url;
  });
  after(async () => {
    await haic?.stop();
    await partner?.stop();
    await keycloak?.stop();
  });

  const subjectOf = async (name: Name) => {
    const { body } = await callApi<{ subject: string }>(
      haic,
      await haic.accessToken(name),
      'GET',
      '/api/v1/me',
    );
    return body.subject;
  };
  /** The sample with what the partner gave written into its app.toml, as its README says. */
  const bundleFor = async ({ issuer, client, resource }: Partner) => {
    const directory = await mkdtemp(path.join(haic.home, 'partner-'));
    await cp(sample, directory, { recursive: true });
    const values: Record<string, string> = {
      PARTNER_ISSUER: issuer,
      PARTNER_CLIENT_ID: client.id,
      PARTNER_CLIENT_SECRET: client.secret,
      PARTNER_RESOURCE: resource,
    };
    const file = path.join(directory, 'app.toml');
    const text = (await readFile(file, 'utf8')).replace(
      /Name = "(PARTNER_\w+)"\nValue = ".*"/g,
      (_, name: string) => `Name = "${name}"\nValue = ${JSON.stringify(values[name])}`,
    );
    await writeFile(file, text);
    return (await haic.run(['bundle', directory, '--output', directory])).trim();
  };
  const withBrowser = async (name: Name, work: (page: Page) => Promise<void>) => {
    const profile = await openBrowser();
    const page = await profile.page();
    try {
      await page.goto(url);
      await fillSignIn(page, name, passwords.get(name) ?? '');
      await page.getByText(`Here you are ${name}`).waitFor();
      await work(page);
    } catch (error) {
      throw new Error(`${messageOf(error)}\n${await seenOn(page)}`, { cause: error });
    } finally {
      await profile.close();
    }
  };

  test('before an administrator registered the resource nothing of a person leaves Haic', async () => {
    await withBrowser('ada', (page) =>
      page
        .getByText('The platform answered 400: this client may not ask for tokens for that audience')
        .waitFor(),
    );
  });

  test('two people in one instance each see what the partner has of them, under their names there', async () => {
    const said = await haic.cli(['foreign-resource', 'add', 'partner', '--audience', partner.issuer]);
    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stderr, /Nobody may ask/);
    await haic.run(['foreign-resource', 'change', 'partner', '--app', appId]);
    assert.match(
      await haic.run(['foreign-resource', 'list']),
      new RegExp(`^partner\\s+${partner.issuer}\\s`, 'm'),
    );
    for (const [name, there] of [
      ['ada', 'Ada King'],
      ['grace', 'Grace Murray'],
    ] as const)
      await withBrowser(name, async (page) => {
        await page.getByText(`The partner knows you as ${there}`).waitFor();
        await page.getByText('haic-partner-data', { exact: true }).waitFor();
      });
  });

  test('whom the partner does not know it lets see nothing', async () => {
    await withBrowser('nobody', (page) => page.getByText(/issuer answered 400: User not found/).waitFor());
  });

  test('the resource itself takes no token of Haic', async () => {
    const token = await haic.accessToken('ada');
    const response = await fetch(partner.resource, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(response.status, 401);
  });

  test('once it is removed, the app is told so at its next question', async () => {
    await haic.run(['foreign-resource', 'remove', 'partner', '--yes']);
    await withBrowser('grace', (page) =>
      page.getByText('may not ask for tokens for that audience').waitFor(),
    );
  });
});
