import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page, Route } from 'playwright-core';
import { askApp, eventually, importApp } from '../faults/support.ts';
import { callApi, importBundle, runApp, waitForStatus } from '../support/api.ts';
import { type BrowserProfile, fillSignIn, openBrowser, signIn } from '../support/browser.ts';
import { driveKeys, driveStatus, driveUrlOf } from '../support/drive.ts';
import { bundleSample, type Haic, startHaic } from '../support/haic.ts';
import { picture } from './support.ts';

const samples = path.join(import.meta.dirname, '../../samples');

/** What a stored page would do with the session of who looks at it. */
const thief = (portal: string) => `<!doctype html><title>Stored</title><p id="said">nothing</p><script>
document.cookie = 'haic_session=planted; path=/';
fetch('${portal}/api/v1/me', { credentials: 'include' }).then((answer) => answer.text())
  .then((text) => { document.getElementById('said').textContent = 'stolen ' + text; },
        () => { document.getElementById('said').textContent = 'refused'; });
</script>`;

describe('Drive in the portal', () => {
  let haic: Haic;
  let folder: string;
  let token: string;
  let browser: BrowserProfile;
  let page: Page;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'haic-test-drive-page-'));
    haic = await startHaic();
    const password = await haic.addUser('ada');
    token = await haic.accessToken('ada');
    browser = await openBrowser();
    page = await browser.page();
    // Leaving while something is uploaded is asked about.
    page.on('dialog', (dialog) => void dialog.accept());
    await signIn(page, haic.url, 'ada', password);
    await page.goto(`${haic.url}/drive`);
    await page.getByText('Nothing is in here').waitFor();
  });
  after(async () => {
    await browser?.close();
    await haic?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const dialog = () => page.getByRole('dialog');
  const named = (name: string) => page.getByRole('table').getByRole('button', { name, exact: true });
  const act = async (name: string, action: string): Promise<void> => {
    await page.getByRole('button', { name: `Actions for ${name}`, exact: true }).click();
    await page.getByRole('menuitem', { name: action }).click();
  };
  const choose = (file: string) => page.getByLabel('Files to upload').setInputFiles(file);
  const addressOf = async (key: string, disposition = 'INLINE'): Promise<string> => {
    const query = new URLSearchParams({ key, disposition });
    const answer = await callApi<{ url: string }>(
      ...([haic, token, 'GET', `/api/v1/drive/buckets/_my/address?${query}`] as const),
    );
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.url;
  };
  const read = async (key: string): Promise<Buffer> =>
    Buffer.from(await (await fetch(await addressOf(key))).arrayBuffer());
  const partOf = (url: URL) =>
    url.origin === driveUrlOf(haic) ? (url.searchParams.get('partNumber') ?? undefined) : undefined;

  test('files come by the button and by dropping them, and a table is looked at', async () => {
    const file = path.join(folder, 'customers.csv');
    await writeFile(file, 'id,name\n1,"Ada, Countess"\n2,Grace\n');
    await choose(file);
    await named('customers.csv').click();
    await dialog().getByRole('cell', { name: 'Ada, Countess' }).waitFor();
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    const transfer = await page.evaluateHandle((content) => {
      const dropped = new DataTransfer();
      dropped.items.add(new File([content], 'stored.html', { type: 'text/html' }));
      return dropped;
    }, thief(haic.url));
    await page.getByRole('table').dispatchEvent('drop', { dataTransfer: transfer });
    await named('stored.html').waitFor();
    await picture(page, 'drive');
  });

  test('a part that breaks is sent again, and after a reload only what is missing is sent', async () => {
    const content = randomBytes(20 * 1024 * 1024);
    const [first, second] = [path.join(folder, 'first.bin'), path.join(folder, 'second.bin')];
    await writeFile(first, content);
    await writeFile(second, content);
    let broken = 0;
    const breakOnce = async (route: Route): Promise<void> => {
      broken += 1;
      if (broken === 1) await route.abort('connectionreset');
      else await route.continue();
    };
    await page.route((url) => partOf(url) === '2', breakOnce);
    await choose(first);
    await named('first.bin').waitFor();
    assert.ok(broken >= 2, `part 2 was sent ${broken} times`);
    assert.ok((await read('first.bin')).equals(content));
    await page.unrouteAll();

    // All but the first part get stuck.
    await page.route(
      (url) => !['1', undefined].includes(partOf(url)),
      () => {},
    );
    const arrived = page.waitForResponse(
      (response) => partOf(new URL(response.url())) === '1' && response.request().method() === 'PUT',
    );
    await choose(second);
    assert.equal((await arrived).status(), 200);
    // What is stuck ends with the page.
    await page.reload();
    await page.getByText('Unfinished uploads').waitFor();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    const sent: string[] = [];
    page.on('request', (request) => {
      const part = partOf(new URL(request.url()));
      if (part !== undefined && request.method() === 'PUT') sent.push(part);
    });
    await choose(second);
    await named('second.bin').waitFor();
    assert.deepEqual(sent.toSorted(), ['2', '3']);
    assert.ok((await read('second.bin')).equals(content));
    await page.getByText('Unfinished uploads').waitFor({ state: 'detached' });
  });

  test('a file is renamed, deleted and brought back', async () => {
    await act('first.bin', 'Rename');
    await dialog().getByRole('textbox', { name: 'New name' }).fill('model.bin');
    await page.keyboard.press('Enter');
    await named('model.bin').waitFor();
    await named('first.bin').waitFor({ state: 'detached' });
    await act('model.bin', 'Delete');
    await page.getByText('model.bin is deleted').waitFor();
    await named('model.bin').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await named('model.bin').waitFor();
  });

  test('a link is opened by somebody without a session', async () => {
    await act('customers.csv', 'Share by link');
    await dialog().getByRole('button', { name: 'Make a link' }).click();
    const link = await dialog()
      .getByLabel(/^Link, good until/)
      .inputValue();
    const answer = await fetch(link);
    assert.match(await answer.text(), /Ada, Countess/);
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment/);
    await page.keyboard.press('Escape');
  });

  test('13 origins: a stored HTML file reads nothing of the portal and plants no cookie', async () => {
    const cookies = async () =>
      (await page.context().cookies(haic.url)).map(({ name, value }) => `${name}=${value}`).sort();
    const before = await cookies();
    await page.goto(await addressOf('stored.html'));
    await page.getByText('nothing').waitFor();
    // Where its script may run it has said by now what it got.
    await page.waitForLoadState('networkidle');
    assert.equal(await page.locator('#said').textContent(), 'nothing');
    assert.deepEqual(await cookies(), before);
    await page.goto(`${haic.url}/drive`);
    await named('stored.html').click();
    await dialog().getByText('credentials:').waitFor();
    assert.equal(await page.title(), 'Drive · Haic');
  });

  describe('and in apps', () => {
    let password: string;
    let visitor: BrowserProfile;
    let app: { id: string };
    before(async () => {
      password = await haic.addUser('bob');
      visitor = await openBrowser();
      app = await importBundle(haic, token, await bundleSample(haic, 'data-sets'), 'ALL_USERS');
    });
    after(() => visitor?.close());

    test('one that its owner alone opens uses their Drive with what is in its environment, and hands a data set to another', async () => {
      await page.goto(`${haic.url}/drive?folder=home/`);
      await choose(path.join(folder, 'customers.csv'));
      await named('customers.csv').waitFor();
      const { id, url } = await runApp(haic, token, app.id);
      await waitForStatus(haic, token, id, 'DEPLOYED');
      await page.goto(url);
      await page.getByText('In the Drive of ada').waitFor();
      await page.getByText('customers.csv', { exact: true }).click();
      await page.getByText('Left customers.summary.csv in your home.').waitFor();
      await picture(page, 'data-sets');
      const summary = 'column,values,numbers,mean,least,most\nid,2,2,1.5,1,2\nname,2,0,,,\n';
      assert.equal((await read('home/customers.summary.csv')).toString(), summary);

      const other = await importApp(haic, token, {
        source: await readFile(path.join(import.meta.dirname, 'taking_app.py'), 'utf8'),
        files: [
          {
            name: 'requirements.txt',
            content: await readFile(`${samples}/data-sets/requirements.txt`, 'utf8'),
          },
        ],
      });
      const taking = await runApp(haic, token, other);
      await waitForStatus(haic, token, taking.id, 'DEPLOYED');
      const take = async () => {
        const answer = await askApp(haic, token, taking.id, '/take?name=customers.summary.csv');
        return JSON.parse(answer?.text ?? '{}') as { taken?: string; kept?: string; refused?: number };
      };
      const { taken, kept = '' } = await take();
      assert.equal(taken, summary);
      assert.equal((await read(kept)).toString(), summary);
      assert.match(kept, new RegExp(`/${taking.id}/workspace/taken\\.csv$`));

      // What it has of its owner ends when others may open it, the temporary keys that it holds included.
      const at = `/api/v1/instances/${taking.id}`;
      await callApi(haic, token, 'PATCH', at, { visibility: 'ALL_USERS' });
      assert.equal(await eventually(async () => (await take()).refused), 400);
      await callApi(haic, token, 'PATCH', at, { visibility: 'PRIVATE' });
      await eventually(async () => ((await take()).taken === summary ? true : undefined));
    });

    test('one that is shared uses the Drive of each who opens it, by their own sign-in', async () => {
      const { id, url } = await runApp(haic, token, app.id, 'ALL_USERS');
      await waitForStatus(haic, token, id, 'DEPLOYED');
      const bobs = await haic.accessToken('bob');
      const keys = await driveKeys(haic, bobs);
      assert.equal(await driveStatus(haic, keys, 'PUT', '/_my/home/of-bob.csv', 'x\n3\n'), 200);
      const his = await visitor.page();
      await his.goto(url);
      await fillSignIn(his, 'bob', password);
      await his.getByText('In the Drive of bob').waitFor();
      await page.goto(url);
      await page.getByText('In the Drive of ada').waitFor();
      await page.getByText('customers.csv', { exact: true }).waitFor();
      await his.getByText('of-bob.csv', { exact: true }).click();
      await his.getByText('Left of-bob.summary.csv in your home.').waitFor();
      assert.equal(await his.getByText('customers.csv').count(), 0);
      assert.equal(await driveStatus(haic, keys, 'GET', '/_my/home/of-bob.summary.csv'), 200);
      await page.reload();
      await page.getByText('customers.csv', { exact: true }).waitFor();
      assert.equal(await page.getByText('of-bob').count(), 0);
    });
  });
});
