import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { sampleNamed, startBrowser } from './portal.ts';

const browser = startBrowser();
after(() => browser.close());

// Most of a test is waiting, so several run at once.
describe('Instances', { concurrency: 4 }, () => {
  test('Run leads through the named stages, live, and opens the app by itself; Back does not open it again', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.stageMilliseconds = 2_000;
    await page.goto(`${standIn.url}/apps/${sampleNamed(standIn, 'ai.h2o.hello').id}`);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Run' }).click();
    await page.waitForURL(/\/instances\//);
    assert.equal(standIn.instances[0]?.data.visibility, 'PRIVATE');
    await page
      .locator('[data-stage=installing][data-state=running]', { hasText: 'of usually 3.1 s' })
      .waitFor();
    await page.getByText('Opening Hello…').waitFor();
    await page.getByRole('heading', { name: 'This is Hello' }).waitFor();
    assert.equal(page.url(), standIn.instances[0]?.data.url);

    await page.goBack();
    await page.getByRole('link', { name: 'Open' }).waitFor();
    assert.equal(await page.getByText('Opening Hello…').count(), 0);
    assert.deepEqual(portal.complaints, []);
  });

  test('who presses "Stay here" stays', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.stageMilliseconds = 10;
    await page.goto(`${standIn.url}/apps/${sampleNamed(standIn, 'ai.h2o.hello').id}`);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    // The page's own clock goes in steps from here on: a slow machine has as long to press as a person.
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 1_000);
    await page.getByRole('dialog').getByRole('button', { name: 'Run' }).click();
    const stay = page.getByRole('button', { name: 'Stay here' });
    for (const until = Date.now() + 30_000; !(await stay.isVisible()); await page.clock.runFor(50))
      assert.ok(Date.now() < until, 'nothing offers to stay');
    await stay.click();
    await page.getByText('Opening Hello…').waitFor({ state: 'hidden' });
    await page.clock.runFor(5_000);
    assert.match(page.url(), /\/instances\//);
  });

  test('the log goes on at its last line when the connection broke: no line twice, none lost', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.stageMilliseconds = 5;
    const instance = standIn.run(sampleNamed(standIn, 'ai.h2o.hello'), 'PRIVATE');
    await page.goto(`${standIn.url}/instances/${instance.data.id}`);
    for (let n = 1; n <= 300; n += 1) instance.write(`line ${n}`);
    await page.getByText('line 300', { exact: true }).waitFor();
    const seen = instance.log.length;
    standIn.dropStreams();
    for (let n = 301; n <= 330; n += 1) instance.write(`line ${n}`);
    await page.getByText('line 330', { exact: true }).waitFor();
    assert.equal(standIn.logRequests.at(-1), seen);
    const lines = await page.locator('.log-line').allTextContents();
    assert.deepEqual(
      lines.slice(-330),
      Array.from({ length: 330 }, (_value, index) => `line ${index + 1}`),
    );
    assert.equal(
      lines.some((line) => line.includes('\u001b')),
      false,
    );
  });

  test('the log is searched, follows only while the reader is at its end, and can be downloaded', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.stageMilliseconds = 5;
    const instance = standIn.run(sampleNamed(standIn, 'ai.h2o.hello'), 'PRIVATE');
    await page.goto(`${standIn.url}/instances/${instance.data.id}`);
    await page.getByText('listening').waitFor();
    for (let n = 1; n <= 250; n += 1) instance.write(n % 100 === 0 ? `needle ${n}` : `hay ${n}`);
    await page.getByText('hay 249').waitFor();
    const box = page.getByRole('log');
    await page.waitForFunction(() => {
      const log = document.querySelector('[role=log]');
      return log !== null && log.scrollHeight - log.scrollTop - log.clientHeight < 2;
    });
    await page.getByRole('searchbox', { name: 'Search in the log' }).fill('needle');
    await page.getByText('1 of 2').waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('2 of 2').waitFor();
    assert.equal(await page.getByRole('switch', { name: 'Scroll along' }).isChecked(), false);
    const before = await box.evaluate((element) => element.scrollTop);
    instance.write('another line');
    await page.getByText('another line').waitFor({ state: 'attached' });
    assert.equal(await box.evaluate((element) => element.scrollTop), before);

    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download' }).click();
    assert.equal((await download).suggestedFilename(), 'ai.h2o.hello-1.2.0.log');
  });

  test('a failure shows its likely cause and the last twenty lines, and Try again runs it anew', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.stageMilliseconds = 5;
    const instance = standIn.run(sampleNamed(standIn, 'ai.h2o.broken'), 'ALL_USERS');
    await page.goto(`${standIn.url}/instances/${instance.data.id}`);
    const panel = page.getByRole('region', { name: 'What went wrong' });
    await panel.getByText('The app imports “pandaz”').waitFor();
    await panel.locator('.log-line').nth(19).waitFor();
    const lines = await panel.locator('.log-line').allInnerTexts();
    assert.equal(lines.length, 20);
    assert.equal(lines.at(-1), "ModuleNotFoundError: No module named 'pandaz'");
    assert.match(await panel.innerText(), /Exit code 1/);

    await panel.getByRole('button', { name: 'Try again' }).click();
    await page.waitForURL((url) => !url.href.includes(instance.data.id));
    assert.equal(standIn.instances.length, 2);
    assert.equal(standIn.instances[1]?.data.visibility, 'ALL_USERS');
    assert.equal(instance.data.status, 'TERMINATING');
  });

  test('an instance that ends elsewhere is said to have ended, without an error', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.stageMilliseconds = 5;
    const instance = standIn.run(sampleNamed(standIn, 'ai.h2o.hello'), 'PRIVATE');
    await page.goto(`${standIn.url}/instances/${instance.data.id}`);
    await page.getByText('listening').waitFor();
    instance.end();
    await page.getByText('This instance has ended').first().waitFor();
    assert.equal(await page.locator('.problem').count(), 0);
    assert.equal(await page.getByText('listening').count(), 1);
  });

  test('My instances keeps itself fresh without moving, and terminates after asking', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.stageMilliseconds = 5;
    const instance = standIn.run(sampleNamed(standIn, 'ai.h2o.hello'), 'PRIVATE');
    standIn.run(sampleNamed(standIn, 'ai.h2o.churn'), 'PRIVATE');
    await page.goto(`${standIn.url}/instances`);
    const table = page.getByRole('table', { name: 'My instances' });
    await table.getByText('Running').nth(1).waitFor();
    const before = await table.boundingBox();
    instance.fail();
    await table.getByText('Failed').waitFor();
    assert.deepEqual(await table.boundingBox(), before);

    await page.getByRole('button', { name: 'Terminate Hello 1.2.0' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Terminate' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.equal(instance.data.status, 'TERMINATING');
    await table.getByText('Hello').waitFor({ state: 'hidden' });
  });

  test('a visibility that the platform refuses falls back to what it was, with the reason', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.stageMilliseconds = 5;
    const instance = standIn.run(sampleNamed(standIn, 'ai.h2o.hello'), 'PRIVATE');
    await page.route(`**/api/v1/instances/${instance.data.id}`, (route) =>
      route.request().method() === 'PATCH'
        ? route.fulfill({
            status: 403,
            contentType: 'application/problem+json',
            body: JSON.stringify({
              code: 'public_not_allowed',
              status: 403,
              detail: 'Public instances are switched off.',
            }),
          })
        : route.continue(),
    );
    await page.goto(`${standIn.url}/instances/${instance.data.id}`);
    await page.getByRole('button', { name: 'Manage this instance' }).click();
    await page.getByRole('menuitem', { name: 'Change visibility' }).click();
    await page.getByRole('radio', { name: 'Public' }).check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Public instances are switched off.').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Private', { exact: true }).first().waitFor();
  });

  test('a change of visibility is seen at once, and no late look undoes what an event said since', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.stageMilliseconds = 5;
    const instance = standIn.run(sampleNamed(standIn, 'ai.h2o.hello'), 'PRIVATE');
    const path = `/api/v1/instances/${instance.data.id}`;
    await page.goto(`${standIn.url}/instances/${instance.data.id}`);
    await page.getByText('Running', { exact: true }).first().waitFor();
    const looks: string[] = [];
    page.on('request', (request) => {
      if (new URL(request.url()).pathname === path) looks.push(request.method());
    });
    await page.getByRole('button', { name: 'Manage this instance' }).click();
    await page.getByRole('menuitem', { name: 'Change visibility' }).click();
    const dialog = page.getByRole('dialog', { name: 'Change visibility' });
    await dialog.getByRole('radio', { name: 'All users' }).check();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('All users', { exact: true }).first().waitFor();
    await dialog.waitFor({ state: 'hidden' });
    // Somebody else, at the same moment.
    instance.change({ visibility: 'PUBLIC' });
    await page.getByText('Public', { exact: true }).first().waitFor();
    assert.deepEqual(looks, ['PATCH']);
  });
});
