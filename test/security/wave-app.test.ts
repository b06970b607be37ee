import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeZip } from '@haic/launcher/testing/zip.ts';
import { secretsOf } from '@haic/server/installation.ts';
import { importBundle, runApp, waitForStatus } from '../support/api.ts';
import { type BrowserProfile, fillSignIn, openBrowser } from '../support/browser.ts';
import { type Haic, startHaic } from '../support/haic.ts';

const manifest = `[App]
Name = "echo"
Version = "1.0.0"
[Runtime]
Module = "echo"
EnableOIDC = true
`;

/** Shows everything that Wave hands to an app's code about its visitor, and the app's environment. */
const code = `
import json, os
from h2o_wave import Q, app, main, ui

@app('/')
async def serve(q: Q):
    seen = {'headers': q.headers, 'environment': dict(os.environ), 'username': q.auth.username}
    q.page['echo'] = ui.form_card(box='1 1 10 10', items=[
        ui.textbox(name='seen', label='Seen', multiline=True, value=json.dumps(seen)),
    ])
    await q.page.save()
`;

describe('5 leakage: what a Wave app is shown', () => {
  let haic: Haic;
  let browser: BrowserProfile;
  let password: string;
  let token: string;

  before(async () => {
    haic = await startHaic();
    password = await haic.addUser('ada');
    token = await haic.accessToken('ada');
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await haic?.stop();
  });

  it('knows its visitor, and holds nothing of the platform: no cookie, no token of ours, no secret', async () => {
    const requirements = await readFile(
      path.join(import.meta.dirname, '../../samples/hello/requirements.txt'),
    );
    const bundle = path.join(haic.home, 'echo.wave');
    await writeFile(
      bundle,
      makeZip([
        { name: 'app.toml', content: manifest },
        { name: 'echo.py', content: code },
        { name: 'requirements.txt', content: requirements.toString() },
      ]),
    );
    const { id } = await runApp(haic, token, (await importBundle(haic, token, bundle)).id);
    const { url } = await waitForStatus(haic, token, id, 'DEPLOYED');
    const page = await browser.page();
    await page.goto(url);
    await fillSignIn(page, 'ada', password);
    const text = await page.getByLabel('Seen').inputValue();

    const seen = JSON.parse(text) as { headers: Record<string, string[]>; username: string };
    assert.equal(seen.username, 'ada');
    assert.ok(seen.headers['User-Agent'] !== undefined, 'headers of the browser do reach the app');
    assert.equal(seen.headers.Authorization, undefined);
    for (const { name, value } of await browser.context.cookies([haic.url, url])) {
      // waved's own session belongs to the app: it may know its value, by waved's own name.
      if (name.startsWith('oidcsession')) continue;
      assert.ok(!text.includes(value), name);
      assert.ok(!text.includes(name), name);
    }
    const masterKey = (await readFile(path.join(haic.home, 'secrets/master-key'), 'utf8')).trim();
    const secrets = secretsOf(Buffer.from(masterKey, 'hex'));
    for (const secret of [masterKey, secrets.postgresPassword, secrets.portalClientSecret, token]) {
      assert.ok(!text.includes(secret));
    }
  });
});
