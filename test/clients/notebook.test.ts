/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import type { Page } from 'playwright-core';
import { callApi, importBundle, instanceLog, runApp, waitForStatus } from '../support/api.ts';
import { type BrowserProfile, fillSignIn, openBrowser } from '../support/browser.ts';
import { bundleSample, type Haic, startHaic } from '../support/haic.ts';

/** Where pictures go, for people who look at them; without it none are made. */
const pictures = process.env.HAIC_TEST_SCREENSHOTS;
const first = '1 The platform and you.ipynb';

describe('a notebook of one’s own', () => {
  let haic: Haic;
  let token: string;
  let bobsPassword: string;
  let browser: BrowserProfile;
  let page: Page;
  let appId: string;
  let instanceId: string;
  let lab: string;

  before(async () => {
    haic = await startHaic();
    const password = await haic.addUser('ada', { name: 'Ada Lovelace' });
    bobsPassword = await haic.addUser('bob', { name: 'Bob' });
    token = await haic.accessToken('ada');
    appId = (await importBundle(haic, token, await bundleSample(haic, 'notebook'), 'ALL_USERS')).id;
    const instance = await runApp(haic, token, appId);
    instanceId = instance.id;
    lab = instance.url;
    browser = await openBrowser();
    page = await browser.page();
    await waitForStatus(haic, token, instanceId, 'DEPLOYED', 300);
    await page.goto(lab);
    await fillSignIn(page, 'ada', password);
  });
  after(async () => {
    await browser?.close();
    await haic?.stop();
  });

  const openNotebook = async (name: string) => {
    await page.goto(`${lab}lab/tree/${encodeURIComponent(name)}`);
    await page.locator('.jp-NotebookPanel:visible .jp-Cell').first().waitFor({ timeout: 60_000 });
  };
  /** Waits until the open notebook shows the text. JupyterLab draws only the cells that are in view, so this scrolls through them. */
  const shows = (text: string) =>
    until(
      () =>
        page.evaluate((wanted) => {
          const panels = [...document.querySelectorAll('.jp-NotebookPanel .jp-WindowedPanel-outer')];
          const panel = panels.find((each) => each.checkVisibility());
          if (panel === undefined || panel.textContent.includes(wanted)) return panel && true;
          const end = panel.scrollTop + panel.clientHeight >= panel.scrollHeight - 1;
          panel.scrollTop = end ? 0 : panel.scrollTop + 200;
          return undefined;
        }, text),
      { everyMs: 200, signal: deadline(60_000) },
    );

  const kernelIsConnected = () =>
    page.evaluate(async () => {
      const sessions = (await (await fetch('/api/sessions')).json()) as { kernel: { connections: number } }[];
      return sessions.some(({ kernel }) => kernel.connections > 0) ? true : undefined;
    });

  /** What the server has of a file, asked by the page. */
  const contentOf = (name: string) =>
    page.evaluate(async (file) => {
      const answer = await fetch(`/api/contents/${encodeURIComponent(file)}`);
      return { status: answer.status, text: await answer.text() };
    }, name);

  test('opens in a browser by the sign-in of the platform, without a token of its own, with the samples in it', async () => {
    const samples = page.getByRole('listitem', { name: first }).or(page.getByText(first));
    await samples.first().waitFor({ timeout: 60_000 });
    assert.equal(new URL(page.url()).searchParams.get('token'), null);
  });

  test('every cell of every sample runs in a kernel of the instance’s own environment', async () => {
    const printed = await runInKernel(page, everyNotebook);
    assert.match(printed, /passed 1 The platform and you\.ipynb\n/);
    assert.match(printed, /passed 2 Data\.ipynb\n/);
    assert.match(printed, /passed 3 A Wave app\.ipynb\n/);
    assert.doesNotMatch(printed, /Traceback/);
  });

  test('run by hand, a notebook tells the name of its owner, whom the API named, and is saved', async () => {
    await openNotebook(first);
    // Asked to run cells before the page has its kernel, JupyterLab would ask which one.
    await until(kernelIsConnected, { everyMs: 200, signal: deadline(60_000) });
    await page.getByText('Python 3 (ipykernel) | Idle').waitFor({ timeout: 60_000 });
    await page.getByRole('menuitem', { name: 'Run', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Run All Cells', exact: true }).click();
    await shows('You are ada');
    await shows('Notebook 1.0.0');
    if (pictures !== undefined) {
      await mkdir(pictures, { recursive: true });
      await page.screenshot({ path: path.join(pictures, 'notebook.png') });
    }
    await page.keyboard.press('Control+s');
    const saved = async () => ((await contentOf(first)).text.includes('You are ada') ? true : undefined);
    await until(saved, { everyMs: 200, signal: deadline(30_000) });
  });

  test('a terminal opens too, as the instance’s own user', async () => {
    const said = await askTerminal(page, 'echo user-$(id -un) in $(pwd)\n');
    assert.match(said, /user-app in \/data/);
  });

  test('after a pause the notebook is still there as it was, and a sample that was deleted stays away', async () => {
    const removed = await page.evaluate(async () => {
      const xsrf = /_xsrf=([^;]+)/.exec(document.cookie)?.[1] ?? '';
      const options = { method: 'DELETE', headers: { 'X-XSRFToken': xsrf } };
      return (await fetch('/api/contents/2%20Data.ipynb', options)).status;
    });
    assert.equal(removed, 204);
    await callApi(haic, token, 'POST', `/api/v1/instances/${instanceId}/suspend`);
    await waitForStatus(haic, token, instanceId, 'SUSPENDED');
    // 409 while it still is being paused.
    const resume = async () => {
      const answer = await callApi(haic, token, 'POST', `/api/v1/instances/${instanceId}/resume`);
      return answer.status === 200 ? true : undefined;
    };
    await until(resume, { everyMs: 200, signal: deadline(30_000) });
    await waitForStatus(haic, token, instanceId, 'DEPLOYED');
    await openNotebook(first);
    await shows('You are ada');
    assert.equal((await contentOf('2 Data.ipynb')).status, 404);
  });

  test('what knows its port and nothing else gets nothing: no page, no kernel', async () => {
    // Past the router, as another app on the same machine would.
    const port = Number((await runInKernel(page, 'import os; print(os.environ["PORT"])')).trim());
    const host = new URL(lab).hostname;
    const direct = (at: string, as: string, method = 'GET') =>
      fetch(`http://127.0.0.1:${port}${at}`, { method, redirect: 'manual', headers: { 'x-test': as } });
    assert.equal((await direct('/api/kernels', host, 'POST')).status, 403);
    assert.equal((await direct('/api/contents', host)).status, 403);
    const answer = await direct('/lab', host);
    assert.equal(answer.status, 302);
    assert.match(answer.headers.get('location') ?? '', /^\/login\?/);
  });

  test('a second person cannot open it, and even in an instance open to all it lets in its owner alone', async () => {
    const other = await openBrowser();
    try {
      const bobs = await other.page();
      await bobs.goto(lab);
      await fillSignIn(bobs, 'bob', bobsPassword);
      await bobs
        .getByText(/There is no such|not exist|not found/i)
        .first()
        .waitFor();
      assert.equal(await tokenWithdrawn(page), false);

      const widened = await callApi(haic, token, 'PATCH', `/api/v1/instances/${instanceId}`, {
        visibility: 'ALL_USERS',
      });
      assert.equal(widened.status, 200);
      await bobs.goto(lab);
      await bobs.waitForURL(/_auth\/callback/);
      await bobs.getByText('opened by the owner of its instance only').waitFor();
      assert.equal(await bobs.evaluate(async () => (await fetch('/api/contents')).status), 403);
      assert.equal(await tokenWithdrawn(page), true, 'its code gets no token any more');
    } finally {
      await other.close();
    }
  });

  test('it does not start at all where others may open the instance, and says why', async () => {
    const open = await runApp(haic, token, appId, 'ALL_USERS');
    await assert.rejects(waitForStatus(haic, token, open.id, 'DEPLOYED'), /FAILED/);
    assert.match(await instanceLog(haic, token, open.id), /run the app with the visibility PRIVATE/);
  });
});

const everyNotebook = `
import subprocess, sys
code = '''
import nbformat, pathlib
from nbclient import NotebookClient
for path in sorted(pathlib.Path("/data").glob("*.ipynb")):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": "/data"}}).execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    print("passed", path.name)
'''
run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
print(run.stdout, run.stderr[-4000:])
`;

const tokenWithdrawn = async (page: Page): Promise<boolean> => {
  const code =
    'import h2o_authn.discovery, h2o_discovery\nprint(len(str(h2o_authn.discovery.create(h2o_discovery.discover())())))';
  const printed = await runInKernel(page, code);
  if (/^\d+\n$/.test(printed)) return false;
  assert.match(printed, /invalid_grant/);
  return true;
};

/** Runs code in a kernel of its own by Jupyter's REST and WebSocket API, from the page and so through the router; returns what it printed. */
function runInKernel(page: Page, code: string): Promise<string> {
  return page.evaluate(async (source) => {
    const xsrf = /_xsrf=([^;]+)/.exec(document.cookie)?.[1] ?? '';
    const made = await fetch('/api/kernels', {
      method: 'POST',
      headers: { 'X-XSRFToken': xsrf },
      body: '{}',
    });
    if (!made.ok) throw new Error(`No kernel: ${made.status} ${await made.text()}`);
    const { id } = (await made.json()) as { id: string };
    const session = crypto.randomUUID();
    const socket = new WebSocket(`ws://${location.host}/api/kernels/${id}/channels?session_id=${session}`);
    const header = {
      msg_id: crypto.randomUUID(),
      msg_type: 'execute_request',
      session,
      username: '',
      version: '5.3',
    };
    const content = {
      code: source,
      silent: false,
      store_history: false,
      user_expressions: {},
      allow_stdin: false,
    };
    const printed = await new Promise<string>((resolve, reject) => {
      let text = '';
      socket.onopen = () =>
        socket.send(JSON.stringify({ header, parent_header: {}, metadata: {}, content, channel: 'shell' }));
      socket.onerror = () => reject(new Error('The WebSocket of the kernel failed.'));
      socket.onmessage = (event) => {
        const message = JSON.parse(event.data as string);
        if (message.parent_header?.msg_id !== header.msg_id) return;
        if (message.msg_type === 'stream') text += message.content.text;
        if (message.msg_type === 'error') text += message.content.traceback.join('\n');
        if (message.msg_type === 'status' && message.content.execution_state === 'idle') resolve(text);
      };
    });
    socket.close();
    await fetch(`/api/kernels/${id}`, { method: 'DELETE', headers: { 'X-XSRFToken': xsrf } });
    return printed;
  }, code);
}

/** Types into a new terminal and returns what it showed until the command's answer came. */
function askTerminal(page: Page, command: string): Promise<string> {
  return page.evaluate(async (line) => {
    const xsrf = /_xsrf=([^;]+)/.exec(document.cookie)?.[1] ?? '';
    const made = await fetch('/api/terminals', {
      method: 'POST',
      headers: { 'X-XSRFToken': xsrf },
      body: '{}',
    });
    const { name } = (await made.json()) as { name: string };
    const socket = new WebSocket(`ws://${location.host}/terminals/websocket/${name}`);
    return await new Promise<string>((resolve, reject) => {
      let text = '';
      socket.onopen = () => socket.send(JSON.stringify(['stdin', line]));
      socket.onerror = () => reject(new Error('The WebSocket of the terminal failed.'));
      socket.onmessage = (event) => {
        const [kind, data] = JSON.parse(event.data as string) as [string, string];
        if (kind === 'stdout') text += data;
        if (/user-\w+ in \S+\r?\n/.test(text)) resolve(text);
      };
    });
  }, command);
}
