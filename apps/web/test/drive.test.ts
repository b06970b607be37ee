import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { startBrowser } from './portal.ts';

const browser = startBrowser();
after(() => browser.close());

const dialog = (page: Page) => page.getByRole('dialog');
const nameOf = (page: Page, name: string) =>
  page.getByRole('table').getByRole('button', { name, exact: true });
const act = async (page: Page, name: string, action: string): Promise<void> => {
  await page.getByRole('button', { name: `Actions for ${name}`, exact: true }).click();
  await page.getByRole('menuitem', { name: action }).click();
};
const choose = (page: Page, files: Parameters<ReturnType<Page['getByLabel']>['setInputFiles']>[0]) =>
  page.getByLabel('Files to upload').setInputFiles(files);
const centreOf = async (what: Locator): Promise<{ x: number; y: number }> => {
  const box = await what.boundingBox();
  assert.ok(box);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
};
const file = (name: string, content: Buffer | string, mimeType = '') => ({
  ...{ name, mimeType, buffer: Buffer.from(content) },
});

describe('Drive', () => {
  test('folders are gone through by their names, and back by the path above the list', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(standIn.url);
    await page
      .getByRole('navigation', { name: 'Main' })
      .getByRole('link', { name: 'Drive', exact: true })
      .click();
    await page.getByRole('button', { name: 'home, folder' }).click();
    await page.getByRole('button', { name: 'models, folder' }).click();
    await nameOf(page, 'churn.zip').waitFor();
    assert.match(page.url(), /folder=home%2Fmodels%2F/);
    await page.getByRole('navigation', { name: 'Folder' }).getByRole('button', { name: 'home' }).click();
    await nameOf(page, 'notes.md').waitFor();
    await page.goBack();
    await nameOf(page, 'churn.zip').waitFor();
    await page.getByText('120 kB of 1.0 MB in 6 objects').waitFor();
    assert.deepEqual(portal.complaints, []);
  });

  test('a file is looked at as what it is, and none of it runs', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/drive?folder=home/`);
    await nameOf(page, 'customers.csv').click();
    await dialog(page).getByRole('cell', { name: 'likes, commas' }).waitFor();
    await dialog(page).getByRole('cell', { name: '<b>bold</b>' }).waitFor();
    await page.keyboard.press('Escape');
    await nameOf(page, 'customers.csv').and(page.locator(':focus')).waitFor();
    await nameOf(page, 'notes.md').click();
    await dialog(page).getByRole('heading', { name: 'Notes', exact: true }).last().waitFor();
    await dialog(page).getByText('a link').waitFor();
    assert.equal(await dialog(page).getByRole('link').count(), 0);
    await page.keyboard.press('Escape');
    await nameOf(page, 'page.html').click();
    await dialog(page).getByText('document.title = "stolen"').waitFor();
    assert.notEqual(await page.title(), 'stolen');
    await page.goto(`${standIn.url}/drive`);
    await nameOf(page, 'picture.svg').click();
    const picture = dialog(page).getByRole('img', { name: 'picture.svg' });
    await picture.waitFor();
    assert.equal(await picture.evaluate((image) => image.tagName), 'IMG');
    assert.deepEqual(portal.complaints, []);
  });

  test('a file in parts is tried again part by part, and another name is found for one that is taken', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.drive.failures = 2;
    await page.goto(`${standIn.url}/drive?folder=home/`);
    const content = Buffer.alloc(300_000, 'abc');
    await choose(page, [file('large.bin', content), file('notes.md', 'new', 'text/markdown')]);
    await page.getByText('There is one of this name already.').waitFor();
    await page.getByRole('button', { name: 'Keep both' }).click();
    await nameOf(page, 'large.bin').waitFor();
    await nameOf(page, 'notes (1).md').waitFor();
    await page.getByText('2 uploaded').first().waitFor();
    assert.ok(standIn.drive.of('_my').get('home/large.bin')?.content.equals(content));
    assert.equal(standIn.drive.of('_my').get('home/notes (1).md')?.contentType, 'text/markdown');
    await page.getByRole('button', { name: 'Close the list of uploads' }).click();
    assert.deepEqual(portal.complaints, []);
  });

  test('after a reload, the same file goes on where it was, and what is not wanted is discarded', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const content = Buffer.alloc(300_000, 'abc');
    const parts = new Map([[1, content.subarray(0, 65_536)]]);
    const startedAt = new Date().toISOString();
    await page.goto(`${standIn.url}/drive`);
    // The browser gives files of tests the time of their making; what was begun has the same.
    standIn.drive.uploads.set('other', {
      ...{ bucket: '_my', key: 'forgotten.bin', size: 9, modifiedAt: 1, startedAt, parts: new Map() },
    });
    const transfer = await page.evaluateHandle((text) => {
      const dropped = new DataTransfer();
      dropped.items.add(new File([text], 'large.bin', { lastModified: 1234 }));
      return dropped;
    }, content.toString());
    standIn.drive.uploads.set('begun', {
      ...{ bucket: '_my', key: 'large.bin', size: content.length, modifiedAt: 1234, startedAt, parts },
    });
    await page.reload();
    await page.getByText('Unfinished uploads').waitFor();
    await page.getByRole('button', { name: 'Discard forgotten.bin' }).click();
    await page.getByText('forgotten.bin').waitFor({ state: 'detached' });
    await transfer.dispose();
    const again = await page.evaluateHandle((text) => {
      const dropped = new DataTransfer();
      dropped.items.add(new File([text], 'large.bin', { lastModified: 1234 }));
      return dropped;
    }, content.toString());
    await page.getByRole('table').dispatchEvent('drop', { dataTransfer: again });
    await nameOf(page, 'large.bin').waitFor();
    await page.getByText('1 uploaded').first().waitFor();
    assert.deepEqual(standIn.drive.arrived.toSorted(), [2, 3, 4, 5], 'the first part was there');
    assert.ok(standIn.drive.of('_my').get('large.bin')?.content.equals(content));
    await page.getByText('Unfinished uploads').waitFor({ state: 'detached' });
  });

  test('a folder that is dropped comes with all that is in it, beside files that are dropped with it', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const place = await mkdtemp(path.join(tmpdir(), 'haic-test-drop-'));
    try {
      const many = path.join(place, 'data', 'many');
      await mkdir(many, { recursive: true });
      await writeFile(path.join(place, 'data', 'größe.csv'), 'a,b');
      await writeFile(path.join(place, 'one.txt'), 'alone');
      // Chromium tells of a hundred at a time.
      const names = Array.from({ length: 130 }, (_, i) => `${String(i).padStart(3, '0')}.txt`);
      for (const name of names) await writeFile(path.join(many, name), name);
      await page.goto(`${standIn.url}/drive`);
      const { x, y } = await centreOf(page.getByRole('table'));
      const devTools = await portal.context.newCDPSession(page);
      const files = [path.join(place, 'data'), path.join(place, 'one.txt')];
      const data = { items: [], files, dragOperationsMask: 1 };
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
        await devTools.send('Input.dispatchDragEvent', { type, x, y, data });
      await nameOf(page, 'one.txt').waitFor();
      await page.getByText('132 uploaded').first().waitFor();
      await page.getByRole('button', { name: 'data, folder' }).click();
      await nameOf(page, 'größe.csv').waitFor();
      const kept = standIn.drive.keys('_my').filter((key) => key.startsWith('data/'));
      assert.deepEqual(kept.sort(), ['data/größe.csv', ...names.map((name) => `data/many/${name}`)].sort());
      assert.equal(standIn.drive.of('_my').get('data/many/129.txt')?.content.toString(), '129.txt');
      assert.deepEqual(portal.complaints, []);
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  });

  test('an upload that is refused says why, and one under way is cancelled', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.drive.quota = 10;
    await page.goto(`${standIn.url}/drive?folder=home/`);
    await choose(page, file('more.bin', 'more than ten bytes'));
    await page.getByText('These bytes do not fit.').waitFor();
    standIn.drive.quota = null;
    await page.getByRole('button', { name: 'Try again' }).click();
    await nameOf(page, 'more.bin').waitFor();
    standIn.drive.delay = 60_000;
    await choose(page, file('large.bin', Buffer.alloc(300_000)));
    await page.getByRole('button', { name: 'Cancel large.bin' }).click();
    await page.getByText('Cancelled').waitFor();
    assert.equal(standIn.drive.of('_my').has('home/large.bin'), false);
  });

  test('with the keyboard: a folder is made, and a file renamed, moved, deleted and brought back', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const { drive } = standIn;
    await page.goto(`${standIn.url}/drive`);
    await page.getByRole('button', { name: 'New folder' }).focus();
    await page.keyboard.press('Enter');
    await dialog(page).getByRole('textbox', { name: 'Name' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type('a/b');
    await page.getByText('A name has no slash.').waitFor();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('archive');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'archive, folder' }).waitFor();
    await dialog(page).waitFor({ state: 'detached' });
    // From row to row.
    await page.getByRole('button', { name: 'archive, folder' }).focus();
    await page.keyboard.press('End');
    await nameOf(page, 'readme.txt').and(page.locator(':focus')).waitFor();
    await page.keyboard.press('ArrowUp');
    await nameOf(page, 'picture.svg').and(page.locator(':focus')).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Rename' }).waitFor();
    await page.keyboard.press('Escape');
    await act(page, 'readme.txt', 'Rename');
    await dialog(page).getByRole('textbox', { name: 'New name' }).fill('picture.svg');
    await page.keyboard.press('Enter');
    await dialog(page).getByRole('alert').getByText('is there already').waitFor();
    await dialog(page).getByRole('textbox', { name: 'New name' }).fill('about.txt');
    await page.keyboard.press('Enter');
    await nameOf(page, 'about.txt').waitFor();
    await act(page, 'about.txt', 'Move to');
    await dialog(page).getByRole('button', { name: 'archive' }).click();
    await dialog(page).getByRole('button', { name: 'Move here' }).click();
    await nameOf(page, 'about.txt').waitFor({ state: 'detached' });
    assert.ok(drive.keys('_my').includes('archive/about.txt'));
    await act(page, 'archive', 'Delete');
    await page.getByText('archive is deleted').waitFor();
    assert.deepEqual(
      drive.keys('_my').filter((key) => key.startsWith('archive/')),
      [],
    );
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'archive, folder' }).waitFor();
    await page.getByRole('checkbox', { name: 'Select picture.svg' }).check();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('picture.svg is deleted').waitFor();
    await page.getByRole('button', { name: 'Trash' }).click();
    await dialog(page).getByRole('button', { name: 'Empty the trash' }).click();
    await dialog(page).getByText('gone for good then').waitFor();
    await dialog(page).getByRole('button', { name: 'Empty the trash' }).click();
    await dialog(page).getByText('Nothing was deleted here.').waitFor();
    assert.equal(drive.trash.size, 0);
    assert.deepEqual(portal.complaints, []);
  });

  test('a link is made for as long as was chosen, and taken back', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/drive`);
    await act(page, 'readme.txt', 'Share by link');
    await dialog(page).getByLabel('The link is good for').selectOption('an hour');
    await dialog(page).getByRole('button', { name: 'Make a link' }).click();
    const link = dialog(page).getByLabel(/^Link, good until/);
    assert.match(await link.inputValue(), /\/stand-in-drive\/_my\/readme\.txt/);
    await dialog(page).getByRole('button', { name: 'Copy the link' }).waitFor();
    await dialog(page).getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByRole('button', { name: 'My links' }).click();
    await dialog(page).getByRole('button', { name: 'Take back the link to readme.txt' }).click();
    await dialog(page).getByText('No link of yours').waitFor();
    assert.equal(standIn.drive.shares.size, 0);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'My links' }).and(page.locator(':focus')).waitFor();
    await page.getByRole('button', { name: 'From programs' }).click();
    await dialog(page).getByText('user_bucket()').waitFor();
    await dialog(page).getByText(`H2O_CLOUD_ENVIRONMENT=${standIn.me.environment.publicUrl}`).waitFor();
  });

  test('a hundred thousand files are scrolled through, with a screenful of them in the page', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const many = standIn.drive.of('_my');
    for (let i = 0; i < 100_000; i += 1)
      many.set(`many/${String(i).padStart(6, '0')}.txt`, {
        ...{ content: Buffer.alloc(0), contentType: 'text/plain', modifiedAt: '2026-01-01T00:00:00.000Z' },
      });
    await page.goto(`${standIn.url}/drive?folder=many/`);
    await nameOf(page, '000000.txt').waitFor();
    const rows = () => page.getByRole('table').getByRole('row').count();
    assert.ok((await rows()) < 80, `${await rows()} rows`);
    // Pages come as one scrolls.
    for (const wanted of ['000499.txt', '000999.txt']) {
      await page.getByRole('table').evaluate((list) => list.scrollTo(0, list.scrollHeight));
      await nameOf(page, wanted).waitFor();
    }
    assert.ok((await rows()) < 80, `${await rows()} rows`);
    await page.getByRole('searchbox', { name: 'Find in this folder' }).fill('099999');
    await nameOf(page, '099999.txt').waitFor();
  });

  test('a search that takes long says that it goes on, and goes on by itself', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.drive.searching = true;
    await page.goto(`${standIn.url}/drive?q=readme`);
    await page.getByText('0 items so far, looking further …').waitFor();
    standIn.drive.searching = false;
    await page.getByRole('button', { name: 'readme.txt', exact: true }).waitFor();
    await page.getByText('1 item', { exact: true }).waitFor();
  });

  test('who may only read is told so, and is offered nothing else', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const churn = standIn.workspaces.find(({ workspace }) => workspace.displayName === 'Churn')?.workspace;
    const bucket = churn?.name.replace('workspaces/', '') ?? '';
    standIn.drive.put(bucket, 'report.txt', 'Who leaves');
    await page.goto(`${standIn.url}/drive`);
    await page.getByLabel('Bucket').selectOption('Workspace Churn');
    await page.getByText('You may read here.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Upload' }).count(), 0);
    await page.getByRole('button', { name: 'Actions for report.txt' }).click();
    await page.getByRole('menuitem', { name: 'Copy to' }).waitFor();
    assert.equal(await page.getByRole('menuitem', { name: 'Delete' }).count(), 0);
    await page.getByRole('menuitem', { name: 'Copy to' }).click();
    await dialog(page).getByRole('button', { name: 'Copy here' }).click();
    await dialog(page).waitFor({ state: 'detached' });
    assert.ok(standIn.drive.keys('_my').includes('report.txt'));
  });

  test('what takes long says how far it is, and is cancelled', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.drive.slow = true;
    await page.goto(`${standIn.url}/drive`);
    await act(page, 'home', 'Delete');
    await page.getByText('Deleting: 120 of 1,000').first().waitFor();
    await page
      .getByRole('region', { name: 'What is being done' })
      .getByRole('button', { name: 'Cancel' })
      .click();
    await page.getByText('Deleting: 120').first().waitFor({ state: 'detached' });
  });

  test('an empty folder, and one that does not exist in a bucket that does not, say what to do', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/drive?folder=nothing/`);
    await page.getByText('Nothing is in here').waitFor();
    await page.getByText('Drop files or folders here').waitFor();
    await page.goto(`${standIn.url}/drive?bucket=no-such`);
    await page.getByRole('alert').getByText('does not exist').waitFor();
  });
});
