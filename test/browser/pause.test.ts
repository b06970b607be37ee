import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { makeZip } from '@haic/launcher/testing/zip.ts';
import type { Page } from 'playwright-core';
import { callApi, importBundle } from '../support/api.ts';
import { type BrowserProfile, openBrowser, signIn } from '../support/browser.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { picture } from './support.ts';

/** Keeps a note in its data volume, and one in memory that is gone with the process. */
const notes = `
import html, http.server, os, pathlib, urllib.parse

kept = pathlib.Path("/data/note")
memory = []

class Notes(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        note = kept.read_text() if kept.exists() else "none yet"
        page = f"""<!doctype html><title>Notes</title><h1>Notes</h1><p>Kept: {html.escape(note)}</p><p>In memory: {len(memory)}</p>
<form method=post><label>Note <input name=note></label><button>Keep</button></form>"""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        kept.write_text(form["note"][0])
        memory.append(form["note"][0])
        self.send_response(303)
        self.send_header("Location", "/")
        self.end_headers()

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Notes).serve_forever()
`;

/** It pauses itself as soon as `timeout` says: what takes a day in an installation takes a minute here. */
const bundle = (name: string, timeout: string) =>
  makeZip([
    {
      name: 'app.toml',
      content: `[App]\nName = "ai.test.${name}"\nVersion = "1.0.0"\nTitle = "${name}"\nInstanceTimeout = "${timeout}"
[Runtime]\nModule = "notes"\nAppMode = "python"\nVolumeMount = "/data"\nVolumeSize = "100Mi"\n`,
    },
    { name: 'notes.py', content: notes },
  ]);

describe('a data scientist who pauses an app and comes back', () => {
  let haic: Haic;
  let token: string;
  let browser: BrowserProfile;
  let page: Page;
  before(async () => {
    haic = await startHaic();
    const password = await haic.addUser('ada');
    token = await haic.accessToken('ada');
    browser = await openBrowser();
    page = await browser.page();
    await signIn(page, haic.url, 'ada', password);
  });
  after(async () => {
    await browser?.close();
    await haic?.stop();
  });

  interface State {
    readonly status: string;
    readonly suspendAt: string | null;
  }
  const stateOf = async (id: string) =>
    (await callApi<State>(haic, token, 'GET', `/api/v1/instances/${id}`)).body;
  const becomes = (id: string, status: string, seconds = 60) =>
    until(async () => ((await stateOf(id)).status === status ? true : undefined), {
      everyMs: 200,
      signal: deadline(seconds * 1000),
    });

  async function runByPage(name: string, timeout: string): Promise<string> {
    const file = path.join(haic.home, `${name}.wave`);
    await writeFile(file, bundle(name, timeout));
    const app = await importBundle(haic, token, file);
    await page.goto(`${haic.url}/apps/${app.id}`);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Run', exact: true }).click();
    await page.waitForURL(/\/instances\/[0-9a-f-]{36}$/);
    const id = /[0-9a-f-]{36}$/.exec(page.url())?.[0] as string;
    await page.getByRole('heading', { name: 'Notes' }).waitFor({ timeout: 60_000 });
    return id;
  }

  /** From the page at the app's own address to the app: resume is asked for, and the app opens by itself. */
  async function resumeByVisit(id: string, name: string): Promise<void> {
    const answer = await page.goto(`http://${id}.localhost:${haic.port}/`);
    assert.equal(answer?.status(), 503);
    await page.getByRole('heading', { name: new RegExp(`${name} is paused since`) }).waitFor();
    await picture(page, `${name}-paused`);
    await page.getByRole('link', { name: 'Resume' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('It is started again with the files in its data volume').waitFor();
    await picture(page, `${name}-resume`);
    assert.equal((await stateOf(id)).status, 'SUSPENDED', 'a link alone changes nothing');
    await dialog.getByRole('button', { name: 'Resume', exact: true }).click();
    await page.getByRole('heading', { name: 'Notes', exact: true }).waitFor({ timeout: 60_000 });
    assert.equal(new URL(page.url()).host, `${id}.localhost:${haic.port}`);
  }

  test('pauses it by the page, visits it the next day, resumes it, and the note is still there', async () => {
    const id = await runByPage('by-hand', '8h');
    await page.getByLabel('Note').fill('the third model is best');
    await page.getByRole('button', { name: 'Keep' }).click();
    await page.getByText('In memory: 1').waitFor();

    await page.goto(`${haic.url}/instances/${id}`);
    await page.getByText(/Pauses by itself in (8|7) h/).waitFor();
    const before = (await stateOf(id)).suspendAt;
    await page.getByRole('button', { name: 'Extend' }).click();
    await until(async () => ((await stateOf(id)).suspendAt !== before ? true : undefined), {
      everyMs: 100,
      signal: deadline(10_000),
    });
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Files in its data volume are kept').waitFor();
    await dialog.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByRole('button', { name: 'Resume', exact: true }).waitFor();
    await becomes(id, 'SUSPENDED');
    await picture(page, 'paused-instance');
    assert.equal(await page.getByText('Pauses by itself').count(), 0, 'nothing counts down any more');

    await resumeByVisit(id, 'by-hand');
    await page.getByText('Kept: the third model is best').waitFor();
    await page.getByText('In memory: 0').waitFor();
  });

  test('is told that it pauses soon, lets it, and finds everything when it comes back', async () => {
    const id = await runByPage('by-itself', '45s');
    await page.getByLabel('Note').fill('kept while nobody looked');
    await page.getByRole('button', { name: 'Keep' }).click();
    await page.getByText('Kept: kept while nobody looked').waitFor();

    await page.goto(`${haic.url}/instances/${id}`);
    await page.getByText(/Pauses by itself (in 1 min|any moment)/).waitFor();
    await picture(page, 'pauses-soon');
    await becomes(id, 'SUSPENDED', 120);
    await page.getByRole('button', { name: 'Resume', exact: true }).waitFor();
    await resumeByVisit(id, 'by-itself');
    await page.getByText('Kept: kept while nobody looked').waitFor();
  });
});
