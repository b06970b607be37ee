import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { sampleNamed, startBrowser } from './portal.ts';

const browser = startBrowser();
after(() => browser.close());

// Most of a test is waiting, so several run at once.
describe('The store', { concurrency: 4 }, () => {
  const bundle = (name: string, size = 9) => ({
    name,
    mimeType: 'application/zip',
    buffer: Buffer.alloc(size, 'x'),
  });

  test('a search asks the server, can be linked to, and says when nothing is found', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/?q=finance`);
    await page.getByRole('link', { name: 'Market monitor' }).waitFor();
    assert.equal(await page.getByRole('article').count(), 2);

    const search = page.getByRole('searchbox', { name: 'Search apps' });
    assert.equal(await search.inputValue(), 'finance');
    await search.fill('who am');
    await page.waitForURL(/\?q=who\+am$/);
    await page.waitForFunction(() => document.querySelectorAll('article').length === 1);
    await search.fill('no such app');
    await page.getByText('Nothing found for').waitFor();
    await page.getByRole('button', { name: 'Clear the search' }).click();
    await page.waitForFunction(() => document.querySelectorAll('article').length === 24);
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.waitForFunction(() => document.querySelectorAll('article').length === 29);
    assert.deepEqual(portal.complaints, []);
  });

  test('an empty store shows the command that fills it', async () => {
    await using portal = await browser.open();
    portal.standIn.apps = [];
    await portal.page.goto(portal.standIn.url);
    await portal.page.getByText('./haic app import my-app.wave').waitFor();
    assert.equal(await portal.page.getByRole('link', { name: 'Import an app' }).count(), 2);
  });

  test('every problem of a broken bundle is listed with file, key and remedy', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/import`);
    await page.setInputFiles('input[type=file]', bundle('broken.wave'));
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    const problems = page.getByRole('list', { name: 'Problems of the bundle' }).getByRole('listitem');
    await problems.first().waitFor();
    assert.equal(await problems.count(), 3);
    const first = await problems.first().innerText();
    assert.match(first, /app\.toml · App\.Version/);
    assert.match(first, /not a version number/);
    assert.match(first, /Write it as in/);
  });

  test('an upload shows its progress, can be cancelled, and leads to the app when it is done', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.uploadDelay = 60;
    await page.goto(`${standIn.url}/import`);
    // More than the sockets between them hold: what is cancelled must not have arrived.
    await page.setInputFiles('input[type=file]', bundle('good.wave', 20_000_000));
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.getByRole('progressbar', { name: 'Upload' }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('The upload was cancelled').waitFor();

    standIn.uploadDelay = 0;
    await page.getByRole('radio', { name: 'All users' }).check();
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.getByRole('heading', { name: 'good', exact: true }).waitFor();
    assert.match(page.url(), /\/apps\/b0000000/);
    assert.equal(standIn.apps[0]?.visibility, 'ALL_USERS');
  });

  test("an author's Markdown brings no script, no javascript: link and no foreign image onto the page", async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(`${standIn.url}/apps/${sampleNamed(standIn, 'ai.h2o.churn').id}`);
    await page.getByText('Do not follow this').waitFor();
    assert.equal(await page.locator('.prose script, .prose img, .prose a[href^="javascript"]').count(), 0);
    assert.equal(await page.title(), 'Churn explorer · Haic');
    assert.equal(await page.getByRole('link', { name: 'guide' }).getAttribute('rel'), 'noopener noreferrer');
    assert.equal(await page.locator('.prose table td').count(), 6, 'GitHub’s tables are tables');
    assert.equal(await page.locator('.prose input[type=checkbox]:disabled').count(), 2);
    assert.deepEqual(
      requests.filter((url) => !url.startsWith(standIn.url)),
      [],
    );
    assert.deepEqual(portal.complaints, []);
  });

  test('the arrow keys move through the screenshots, in the strip and large', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/apps/${sampleNamed(standIn, 'ai.h2o.churn').id}`);
    await page.getByRole('button', { name: 'Screenshot 1 of 3, show large' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() =>
      document.activeElement?.getAttribute('aria-label')?.startsWith('Screenshot 2'),
    );
    await page.keyboard.press('Enter');
    await page.getByRole('img', { name: 'Screenshot 2 of Churn explorer' }).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('img', { name: 'Screenshot 3 of Churn explorer' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });

  test('each version can be run from the list: going back is running an older one', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const app = sampleNamed(standIn, 'ai.h2o.hello');
    await page.goto(`${standIn.url}/apps/${app.id}`);
    await page.getByRole('button', { name: 'Run version 1.1.0' }).click();
    const dialog = page.getByRole('dialog', { name: `Run ${app.title} 1.1.0` });
    await dialog.getByRole('button', { name: 'Run', exact: true }).click();
    await page.waitForURL(/\/instances\//);
    assert.equal(standIn.instances.at(-1)?.data.app.id, standIn.apps[1]?.id);
    assert.deepEqual(portal.complaints, []);
  });

  test('the bundle is downloaded under its own name', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const app = sampleNamed(standIn, 'ai.h2o.hello');
    await page.goto(`${standIn.url}/apps/${app.id}`);
    await page.getByRole('button', { name: 'Manage this app' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'Download the bundle' }).click();
    assert.equal((await download).suggestedFilename(), `${app.name}.${app.version}.wave`);
  });

  test('my apps are only those that one has imported', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/my-apps`);
    await page.getByRole('article').first().waitFor();
    const own = standIn.apps.filter((app) => app.owner.subject === standIn.me.subject).length;
    assert.ok(own > 0 && own < standIn.apps.length);
    assert.equal(await page.getByRole('article').count(), Math.min(own, 24));
  });

  test('an app that has instances says so instead of being deleted; without them it goes', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const app = sampleNamed(standIn, 'ai.h2o.hello');
    const instance = standIn.run(app, 'PRIVATE');
    const askToDelete = async () => {
      await page.goto(`${standIn.url}/apps/${app.id}`);
      await page.getByRole('button', { name: 'Manage this app' }).click();
      await page.getByRole('menuitem', { name: 'Delete this version' }).click();
    };
    await askToDelete();
    const confirm = page.getByRole('dialog').getByRole('button', { name: 'Delete' });
    await page.getByText('It cannot be deleted while it has instances').waitFor();
    assert.equal(await confirm.isDisabled(), true);

    instance.gone = true;
    await askToDelete();
    await page.getByText('are removed for good').waitFor();
    await confirm.click();
    await page.waitForURL(/\/my-apps$/);
    assert.equal(standIn.apps.includes(app), false);
  });

  test('a LINK app opens its address apart, a MANAGED app is visited at its newest instance', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/apps/${sampleNamed(standIn, 'org.example.docs').id}`);
    const open = page.getByRole('link', { name: 'Open' });
    assert.equal(await open.getAttribute('href'), 'https://wave.h2o.ai/docs/getting-started');
    assert.equal(await open.getAttribute('rel'), 'noopener noreferrer');

    const managed = sampleNamed(standIn, 'ai.h2o.market');
    await page.goto(`${standIn.url}/apps/${managed.id}`);
    await page.getByRole('button', { name: 'Not running just now' }).waitFor();
    const instance = standIn.run(managed, 'ALL_USERS');
    const visit = page.getByRole('link', { name: 'Visit' });
    await visit.waitFor();
    const answer = await portal.context.request.get(`${standIn.url}${await visit.getAttribute('href')}`, {
      maxRedirects: 0,
    });
    assert.equal(answer.headers().location, instance.data.url);

    instance.gone = true;
    await page.goto(`${standIn.url}/apps/${managed.id}?visit=none`);
    await page.getByText('There is nothing to visit just now').waitFor();
    await page.getByText('grace.hopper runs this app for everyone').waitFor();
  });

  test('a tag shows only what carries it, in the address, and goes again', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(standIn.url);
    const tag = page.getByRole('button', { name: 'Finance' });
    await tag.click();
    await page.waitForURL(/\?tag=Finance$/);
    await page.waitForFunction(() => document.querySelectorAll('article').length === 2);
    assert.equal(await tag.getAttribute('aria-pressed'), 'true');
    await page.getByRole('searchbox', { name: 'Search apps' }).fill('zzz');
    await page.getByText('Only apps with the tag “Finance” were looked at').waitFor();
    await page.getByRole('button', { name: 'Clear the search' }).click();
    await tag.click();
    await page.waitForFunction(() => document.querySelectorAll('article').length === 24);

    await page.goto(`${standIn.url}/apps/${sampleNamed(standIn, 'ai.h2o.churn').id}`);
    await page.getByRole('link', { name: 'Explainable' }).click();
    await page.waitForURL(/\?tag=Explainable$/);
    await page.waitForFunction(() => document.querySelectorAll('article').length === 1);
  });

  test('an app that cannot run says so in lists and on its page, and can be looked at again', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const app = sampleNamed(standIn, 'org.example.retired');
    await page.goto(`${standIn.url}/?q=forecast`);
    await page.getByRole('article').getByText('cannot run').waitFor();
    await page.getByRole('link', { name: app.title }).click();
    await page.getByText('This app cannot run here just now', { exact: true }).waitFor();
    await page.getByText('needs Python 3.9, which is not installed').first().waitFor();
    assert.equal(await page.getByRole('button', { name: 'Run', exact: true }).isDisabled(), true);
    await page.getByRole('button', { name: 'Check again' }).click();
    await page.getByText('This app cannot run here just now').first().waitFor({ state: 'detached' });
    assert.equal(await page.getByRole('button', { name: 'Run', exact: true }).isEnabled(), true);
  });

  test('a version is handed over to another person by name', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const app = sampleNamed(standIn, 'ai.h2o.hello');
    await page.goto(`${standIn.url}/apps/${app.id}`);
    await page.getByRole('button', { name: 'Manage this app' }).click();
    await page.getByRole('menuitem', { name: 'Hand over this version' }).click();
    const dialog = page.getByRole('dialog', { name: `Hand over ${app.title} ${app.version}` });
    await dialog.getByRole('textbox', { name: 'User name of the new owner' }).fill('nobody');
    await dialog.getByRole('button', { name: 'Hand over' }).click();
    await dialog.getByText('There is no person named nobody').waitFor();
    await dialog.getByRole('textbox').fill('grace.hopper');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/my-apps$/);
    assert.equal(sampleNamed(standIn, 'ai.h2o.hello').owner.username, 'grace.hopper');
  });

  test('several versions are deleted at once; what is refused stays and says why', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const inUse = sampleNamed(standIn, 'ai.h2o.hello');
    standIn.run(inUse, 'PRIVATE');
    await page.goto(`${standIn.url}/my-apps`);
    for (const title of ['Hello', 'Who am I']) {
      const box = page.getByRole('checkbox', { name: `Select ${title} 1.2.0` });
      await box.focus();
      await page.keyboard.press('Space');
    }
    await page.getByText('2 selected').waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete 2 versions?' });
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await dialog.getByText('1 deleted, 1 not').waitFor();
    assert.match(
      await dialog.getByRole('list', { name: 'Not deleted' }).innerText(),
      /Hello 1\.2\.0: This app has instances/,
    );
    await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
    await page.getByText('1 selected').waitFor();
    assert.deepEqual(
      standIn.apps.filter(({ name }) => ['ai.h2o.hello', 'ai.h2o.whoami'].includes(name)),
      [inUse],
    );
    assert.deepEqual(portal.complaints, []);
  });
});
