import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { callApi } from '../support/api.ts';
import { type BrowserProfile, openBrowser, signIn } from '../support/browser.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { picture } from './support.ts';

describe('what somebody did, as they see it and as an administrator does', () => {
  let haic: Haic;
  let password: string;
  const profiles: BrowserProfile[] = [];
  before(async () => {
    haic = await startHaic();
    password = await haic.addUser('ada');
  });
  after(async () => {
    for (const profile of profiles) await profile.close();
    await haic?.stop();
  });
  const browser = async (username: string, secret: string) => {
    const profile = await openBrowser();
    profiles.push(profile);
    const page = await profile.page();
    await signIn(page, haic.url, username, secret);
    return page;
  };

  test('Ada signs in and is refused something; both see it, she only her own; it is exported', async () => {
    const ada = await browser('ada', password);
    const token = await haic.accessToken('ada');
    const refused = await callApi(haic, token, 'POST', '/api/v1/people', { username: 'eve' });
    assert.equal(refused.status, 403);

    await ada.goto(`${haic.url}/account/activity`);
    await ada.getByText('signed in').first().waitFor();
    await ada.getByText('tried to add a person').waitFor();
    await picture(ada, 'my-activity');
    assert.equal(await ada.getByRole('link', { name: 'Audit trail' }).count(), 0);

    const admin = await browser(haic.admin.username, haic.admin.password);
    await admin.getByRole('link', { name: 'Audit trail' }).click();
    const row = admin.getByRole('button', { name: /ada tried to add a person/ });
    await row.focus();
    await admin.keyboard.press('Enter');
    await admin.getByText('a private network').waitFor();
    await admin.getByText('a platform token').waitFor();
    await admin.getByRole('button', { name: 'Only ada' }).click();
    await admin.getByRole('button', { name: /^Who ada/ }).waitFor();
    await picture(admin, 'audit-trail');

    await admin.getByRole('button', { name: 'Export' }).click();
    const [download] = await Promise.all([
      admin.waitForEvent('download'),
      admin.getByRole('menuitem', { name: 'As a table (CSV)' }).click(),
    ]);
    const lines = (await readFile(await download.path(), 'utf8')).trim().split('\r\n');
    assert.ok(lines.length >= 3);
    assert.ok(lines.slice(1).every((line) => line.split(',')[1] === 'ada'));
    await admin.goto(`${haic.url}/admin/audit?kind=trail`);
    await admin.getByText('exported the audit trail').waitFor();
  });
});
