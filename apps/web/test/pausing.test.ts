import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { timeLeft } from '../src/instance/time-left.ts';
import { type Portal, sampleNamed, startBrowser } from './portal.ts';

const browser = startBrowser();
after(() => browser.close());

/** An instance of "Hello" that runs, with its page open. */
async function runningHello({ page, standIn }: Portal) {
  standIn.stageMilliseconds = 5;
  const instance = standIn.run(sampleNamed(standIn, 'ai.h2o.hello'), 'PRIVATE');
  await page.goto(`${standIn.url}/instances/${instance.data.id}`);
  await page.getByText('Running', { exact: true }).first().waitFor();
  return instance;
}

describe('Pausing', { concurrency: 3 }, () => {
  test('Pause asks, says why nothing runs, and Resume shows the start and opens the app', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const instance = await runningHello(portal);
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Pause this instance of Hello?' });
    await dialog.getByText('Files in its data volume are kept').waitFor();
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused by its owner.').waitFor();
    await page.getByText('Paused', { exact: true }).first().waitFor();
    assert.equal(await page.getByRole('list', { name: 'Stages of the start' }).count(), 0);
    assert.equal(await page.getByText('Pauses by itself').count(), 0);

    standIn.stageMilliseconds = 800;
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('list', { name: 'Stages of the start' }).waitFor();
    await page.getByRole('heading', { name: 'This is Hello' }).waitFor();
    assert.equal(page.url(), instance.data.url);
    assert.deepEqual(portal.complaints, []);
  });

  test('what is left until it pauses counts down, and Extend starts it anew', async () => {
    await using portal = await browser.open();
    const { page } = portal;
    const instance = await runningHello(portal);
    await page.getByText(/Pauses by itself in (8 h 00|7 h 59) min/).waitFor();
    instance.set({ suspendAt: new Date(Date.now() + 9.9 * 60_000).toISOString() });
    await page.getByText('Pauses by itself in 10 min').waitFor();
    await page.getByRole('button', { name: 'Extend' }).click();
    await page.getByText(/Pauses by itself in (8 h 00|7 h 59) min/).waitFor();
  });

  test('an administrator lets an instance run for good, and takes that back', async () => {
    await using portal = await browser.open();
    const { page } = portal;
    const instance = await runningHello(portal);
    await page.getByRole('button', { name: 'Manage this instance' }).click();
    await page.getByRole('menuitem', { name: 'Never pause by itself' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Never pause by itself' }).click();
    await page.getByText('It does not pause by itself.').waitFor();
    assert.equal(instance.data.suspendAfter, 'never');
    await page.getByRole('button', { name: 'Manage this instance' }).click();
    await page.getByRole('menuitem', { name: 'Pause by itself' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause by itself' }).click();
    await page.getByText('Pauses by itself in').waitFor();

    instance.set({ canSetSuspendAfter: false });
    await page.getByRole('button', { name: 'Manage this instance' }).click();
    await page.getByRole('menuitem', { name: 'Change visibility' }).waitFor();
    assert.equal(await page.getByRole('menuitem', { name: /pause by itself/i }).count(), 0);
  });

  test('the link of a paused app asks and changes nothing by itself; who agrees is led into the app', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const instance = await runningHello(portal);
    instance.pause();
    await page.getByText('Paused by its owner.').waitFor();
    const link = `${standIn.url}/instances/${instance.data.id}?resume=1`;
    await page.goto(link);
    const dialog = page.getByRole('dialog', { name: 'Resume Hello?' });
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.waitForURL((url) => url.search === '');
    assert.equal(instance.data.status, 'SUSPENDED');

    await page.goto(link);
    await dialog.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('heading', { name: 'This is Hello' }).waitFor();
    assert.deepEqual(portal.complaints, []);
  });

  test('who may not resume is not asked, and sees no button for it', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const instance = await runningHello(portal);
    instance.set({ canManage: false });
    instance.pause();
    await page.goto(`${standIn.url}/instances/${instance.data.id}?resume=1`);
    await page.getByText('Paused', { exact: true }).first().waitFor();
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.equal(await page.getByRole('button', { name: /Resume|Pause|Extend/ }).count(), 0);
  });

  test('the list pauses and resumes, says what pauses soon, and a refusal with its reason', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const instance = await runningHello(portal);
    instance.set({ suspendAt: new Date(Date.now() + 29.9 * 60_000).toISOString() });
    await page.goto(`${standIn.url}/instances`);
    await page.getByText('Pauses by itself in 30 min').waitFor();
    await page.getByRole('button', { name: 'Pause Hello 1.2.0' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    const resume = page.getByRole('button', { name: 'Resume Hello 1.2.0' });
    await resume.waitFor();
    await page.route('**/resume', (route) =>
      route.fulfill({
        status: 409,
        contentType: 'application/problem+json',
        body: JSON.stringify({ code: 'still_pausing', status: 409, detail: 'It is still being paused.' }),
      }),
    );
    await page.getByText('Paused by its owner.').waitFor();
    await resume.click();
    await page.getByRole('alert').getByText('It is still being paused.').waitFor();
    await page.unroute('**/resume');
    await resume.click();
    await page.waitForURL(/\/instances\/[0-9a-f-]+$/);
    await page.getByRole('heading', { name: 'This is Hello' }).waitFor();
  });
});

test('how long is left is told roughly', () => {
  assert.deepEqual([8 * 3600, 7.2 * 3600, 3599, 61, 60, 1, 0, -5].map(timeLeft), [
    'in 8 h 00 min',
    'in 7 h 12 min',
    'in 1 h 00 min',
    'in 1 min',
    'in 1 min',
    'in 1 min',
    'any moment',
    'any moment',
  ]);
});
