import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeZip } from '@haic/launcher/testing/zip.ts';
import type { Page } from 'playwright-core';
import { callApi } from '../support/api.ts';
import { type BrowserProfile, fillSignIn, openBrowser } from '../support/browser.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { picture } from './support.ts';

/** A page that says its version; 2.0.0 imports what its requirements do not bring. */
const bundle = (version: string, firstLine = '') => ({
  name: `greeter.${version}.wave`,
  mimeType: 'application/zip',
  buffer: makeZip([
    {
      name: 'app.toml',
      content: `[App]\nName = "greeter"\nVersion = "${version}"\nTitle = "Greeter"\nLongDescription = "about.md"\nTags = ["Demo"]\n[Runtime]\nModule = "greeter"\nAppMode = "python"\n`,
    },
    { name: 'about.md', content: '# Greets\n\n| Version | Greets |\n| --- | --- |\n| 1 | yes |\n' },
    {
      name: 'greeter.py',
      content: `${firstLine}
import http.server, os
class Greeter(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header('content-type', 'text/html'); self.end_headers()
        self.wfile.write(b'<h1>Greetings of ${version}</h1>')
http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Greeter).serve_forever()
`,
    },
  ]),
});

describe('an app developer in a real browser', () => {
  let haic: Haic;
  let browser: BrowserProfile;
  let page: Page;
  before(async () => {
    haic = await startHaic();
    const password = await haic.addUser('ada');
    await haic.addUser('bob');
    browser = await openBrowser();
    page = await browser.page();
    await page.goto(haic.url);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await fillSignIn(page, 'ada', password);
    await page.getByRole('heading', { name: 'App Store' }).waitFor();
  });
  after(async () => {
    await browser?.close();
    await haic?.stop();
  });

  const publish = async (version: string, firstLine?: string): Promise<void> => {
    await page.goto(`${haic.url}/import`);
    const chooser = page.waitForEvent('filechooser');
    await page.getByText('Drop a .wave file here').click();
    await (await chooser).setFiles(bundle(version, firstLine));
    await page.getByRole('radio', { name: 'All users' }).check();
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.waitForURL(/\/apps\/[0-9a-f-]{36}$/);
  };
  const startWith = async (button: string): Promise<void> => {
    await page.getByRole('button', { name: button, exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Run', exact: true }).click();
    await page.waitForURL(/\/instances\/[0-9a-f-]{36}$/);
  };
  const greets = (version: string) =>
    page.getByRole('heading', { name: `Greetings of ${version}` }).waitFor({ timeout: 90_000 });

  test('publishes a first version that runs, described by a table', async () => {
    await publish('1.0.0');
    await page.getByRole('cell', { name: 'yes' }).waitFor();
    await picture(page, 'publish-app');
    await startWith('Run');
    await greets('1.0.0');
  });

  test('publishes a broken one and understands from its page why it fails', async () => {
    await publish('2.0.0', 'import a_package_that_nobody_has');
    await startWith('Run');
    const panel = page.getByRole('region', { name: 'What went wrong' });
    await panel.getByText("No module named 'a_package_that_nobody_has'").first().waitFor({ timeout: 90_000 });
    assert.match(await panel.innerText(), /Likely cause[\s\S]*requirements\.txt/);
  });

  test('publishes the repaired one, and rolls back to the first from the list of versions', async () => {
    await publish('2.0.1');
    await startWith('Run');
    await greets('2.0.1');
    await page.goto(`${haic.url}/?tag=Demo`);
    await page.getByRole('link', { name: 'Greeter' }).click();
    await page.getByRole('button', { name: 'Run version 1.0.0' }).waitFor();
    await picture(page, 'publish-versions');
    await startWith('Run version 1.0.0');
    await greets('1.0.0');
  });

  test('deletes what nobody needs: the broken one is refused while it has an instance', async () => {
    await page.goto(`${haic.url}/my-apps`);
    await page.getByRole('checkbox', { name: 'Select Greeter 2.0.0' }).check();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await dialog.getByText('0 deleted, 1 not').waitFor();
    assert.match(await dialog.innerText(), /Greeter 2\.0\.0 has 1 instance\. Terminate them first/);
    await picture(page, 'publish-refused');
  });

  test('hands the repaired one over, and decides over it no more', async () => {
    await page.goto(`${haic.url}/?q=greeter`);
    await page.getByRole('link', { name: 'Greeter' }).click();
    await page.getByText('by ada').waitFor();
    const app = page.url();
    await page.getByRole('button', { name: 'Manage this app' }).click();
    await page.getByRole('menuitem', { name: 'Hand over this version' }).click();
    await page.getByRole('textbox', { name: 'User name of the new owner' }).fill('bob');
    await page.getByRole('button', { name: 'Hand over' }).click();
    await page.waitForURL(/\/my-apps$/);
    await page.goto(app);
    await page.getByText('by bob').waitFor();
    await page.getByRole('button', { name: 'More about this app' }).click();
    await page.getByRole('menuitem', { name: 'Download the bundle' }).waitFor();
    assert.equal(await page.getByRole('menuitem', { name: 'Delete this version' }).count(), 0);
    const { body } = await callApi<{ items: { version: string }[] }>(
      haic,
      await haic.accessToken('bob'),
      'GET',
      '/api/v1/apps?mine=true',
    );
    assert.deepEqual(
      body.items.map(({ version }) => version),
      ['2.0.1'],
    );
  });
});
