import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { deedOf, problemOf, whatOf, whoOf } from '../src/audit/sentence.ts';
import { filterOf } from '../src/audit/use-audit-filter.ts';
import { lowContrast } from './contrast.ts';
import { startBrowser } from './portal.ts';

const browser = startBrowser();
after(() => browser.close());

describe('an event in words', () => {
  test('says who did what, to what, and why it did not happen', () => {
    const event = {
      action: 'actions/identity/sessions/SIGNIN',
      status: { code: 16, message: 'unauthenticated: It was wrong.' },
    };
    assert.equal(deedOf(event), 'tried to sign in');
    assert.equal(deedOf({ action: event.action }), 'signed in');
    assert.equal(deedOf({ action: event.action, status: { code: 0, message: '' } }), 'signed in');
    assert.equal(problemOf(event), 'It was wrong.');
    assert.equal(deedOf({ action: 'actions/models/deployments/PROMOTE' }), 'did: promote (deployments)');
    assert.equal(whatOf({ resource: '//identity/people/ada%20l' }), 'ada l');
    assert.equal(whatOf({ resource: '//identity/people' }), '');
    assert.equal(whatOf({ resource: '//s/workspaces/w/secrets/key/versions/2' }), 'key, version 2');
    assert.equal(whatOf({ resource: '//identity/people/%E0%A4%A' }), '%E0%A4%A');
    assert.equal(whoOf({ principal: 'users/u1', loginPrincipal: '' }), 'Somebody who is gone');
    assert.equal(whoOf({ principal: 'services/router', loginPrincipal: 'router' }), 'Haic (router)');
  });

  test('what is typed is searched for as it is, and never as an expression', () => {
    const filter = filterOf(new URLSearchParams({ q: 'a.b(', action: 'actions/x/y/Z' }), undefined, 0);
    assert.deepEqual(filter, { resourceRegex: '(?i)a\\.b\\(', actionRegex: '^actions/x/y/Z$' });
    const own = filterOf(new URLSearchParams({ principal: 'users/other' }), 'users/me', 0);
    assert.deepEqual(own, { principalExact: 'users/me' });
  });
});

describe('the audit trail', { concurrency: 3 }, () => {
  test('tells by day what happened, opens with the keyboard, and leads to what is like it', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/audit`);
    await page.getByText('tried to open an instance').waitFor();
    await page.getByText('The user name or the password was wrong.').waitFor();
    const row = page.getByRole('button', { name: /ada changed a person · bob/ });
    await row.focus();
    assert.equal(await row.getAttribute('aria-expanded'), 'false');
    await page.keyboard.press('Enter');
    await page.getByText('user, admin').waitFor();
    await page.getByText('the portal', { exact: true }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(/principal=users/);
    await page.getByRole('button', { name: /^Who ada: show all again/ }).waitFor();
    assert.equal(await page.getByText('grace.hopper').count(), 0);
    await page.goBack();
    await page.getByText('grace.hopper').first().waitFor();
    assert.deepEqual(portal.complaints, []);
  });

  test('is filtered, and the filters are in the address', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/audit`);
    await page.getByLabel('Outcome').selectOption('Refused or failed');
    await page.getByText('tried to sign in').waitFor();
    await page.getByText('imported an app').waitFor({ state: 'detached' });
    await page.getByLabel('What', { exact: true }).selectOption('Instances');
    await page.getByText('tried to sign in').waitFor({ state: 'detached' });
    const address = page.url();
    await page.goto('about:blank');
    await page.goto(address);
    await page.getByText('tried to open an instance').waitFor();
    await page.getByLabel('Reads').selectOption('Changes only');
    await page.getByText('No event matches these filters.').waitFor();
    await page.goto(`${standIn.url}/admin/audit?range=custom&from=2026-01-01T00:00&to=2026-01-02T00:00`);
    await page.getByText('No event matches these filters.').waitFor();
    assert.match(standIn.auditFilters.at(-1)?.startEventTime ?? '', /^20(25-12-31|26-01-01)T/);
  });

  test('follows a search that finds nothing at first, and pages back', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/audit`);
    await page.getByRole('searchbox', { name: 'Search by what it was done to' }).fill('bob');
    await page.getByText('changed a person').waitFor();
    await page.goto(`${standIn.url}/admin/audit`);
    await page.getByText('Looked back to').waitFor();
    assert.equal(await page.getByText('i100', { exact: false }).count(), 0);
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText('i100', { exact: false }).waitFor();
  });

  test('is exported as it is filtered', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/admin/audit?outcome=failed`);
    await page.getByRole('button', { name: 'Export' }).click();
    const address = await page.getByRole('menuitem', { name: 'As a table (CSV)' }).getAttribute('href');
    const { pathname, searchParams } = new URL(address ?? '', standIn.url);
    assert.deepEqual(
      [pathname, searchParams.get('format'), JSON.parse(searchParams.get('filter') ?? '')],
      ['/api/v1/audit-events/export', 'csv', { statusCodeRegex: '[1-9]' }],
    );
  });

  test('one’s own activity is one’s own, by the menu', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(standIn.url);
    await page.getByRole('button', { name: /^Account of/ }).click();
    await page.getByRole('menuitem', { name: 'My activity' }).click();
    await page.getByText('You', { exact: true }).first().waitFor();
    assert.equal(standIn.auditFilters.at(-1)?.principalExact, `users/${standIn.me.subject}`);
    assert.equal(await page.getByRole('button', { name: /^Only / }).count(), 0);
  });

  test('is offered to administrators only', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.me = { ...standIn.me, isAdmin: false, roles: ['user'] };
    await page.goto(standIn.url);
    await page.getByRole('link', { name: 'My apps' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Audit trail' }).count(), 0);
  });

  for (const colorScheme of ['light', 'dark'] as const)
    test(`can be read (${colorScheme}), and fits a phone`, async () => {
      await using portal = await browser.open({ colorScheme, viewport: { width: 360, height: 740 } });
      const { page, standIn } = portal;
      await page.goto(`${standIn.url}/admin/audit`);
      await page.getByRole('button', { name: /grace.hopper tried to sign in/ }).click();
      await page.getByText('203.0.113.7').waitFor();
      assert.deepEqual(await page.evaluate(lowContrast), []);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 360, `${width} px wide`);
    });
});
