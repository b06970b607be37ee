import assert from 'node:assert/strict';
import { access, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openWorkbench, processesOf, sampleBundle, type Workbench, waveBundle } from './testing/harness.ts';
import { makeZip } from './testing/zip.ts';

const limit = { timeout: 120_000 };
let bench: Workbench;
before(async () => {
  bench = await openWorkbench();
}, limit);
after(() => bench.close());

/** Tells its environment and the [[File]] it was given. */
const tellingApp = `
import json, os
from h2o_wave import Q, app, main, ui
print('ENV ' + json.dumps(dict(os.environ)), flush=True)
print('CWD ' + os.getcwd(), flush=True)
print('FILE ' + open('conf/settings.txt').read(), flush=True)
@app('/')
async def serve(q: Q):
    q.page['a'] = ui.markdown_card(box='1 1 2 2', title='Told', content='told you')
    await q.page.save()
`;

test(
  'the status page is there from the first moment and a visitor is taken to the app when it listens',
  limit,
  async () => {
    bench.store.bundle = await sampleBundle('hello');
    const release = bench.store.hold();
    const instance = await bench.start({ config: { appName: '<script>alert(1)</script>' } });
    const early = await instance.until(({ phase }) => phase === 'fetching');
    assert.equal(early.stages[0]?.title, 'Sourcing The Wave Application');
    assert.equal((await fetch(`${instance.statusUrl}/live`)).status, 200);
    assert.equal((await fetch(`${instance.statusUrl}/ready`)).status, 503);

    const page = await fetch(`${instance.statusUrl}/instance/x/some/path?a=b`, {
      headers: { accept: 'text/html' },
    });
    const html = await page.text();
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.match(html, /Sourcing The Wave Application/);
    assert.ok(!html.includes('<script>alert(1)'), 'the name of the app is text, not markup');
    assert.equal((await fetch(`${instance.statusUrl}/api/things`, { method: 'POST' })).status, 503);

    const events = await fetch(`${instance.statusUrl}/`, { headers: { accept: 'text/event-stream' } });
    assert.equal(events.headers.get('content-type'), 'text/event-stream');
    release();
    await instance.untilReady();
    assert.equal((await fetch(`${instance.statusUrl}/ready`)).status, 200);
    let seen = '';
    for await (const chunk of events.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      seen += chunk;
      if (seen.includes('event: ready')) break;
    }
    assert.match(seen, /Installing Application Dependencies/);

    const index = await (await fetch(`${instance.appUrl}/`)).text();
    assert.match(index, /data-base-url="\/"/);
    assert.match(await greeting(`${instance.appUrl.replace('http', 'ws')}/_s/`, '/'), /Hello, world!/);
    assert.equal((await instance.stop()).code, 0);
    assert.deepEqual(await processesOf(instance.id), []);
  },
);

/** Opens the page as a browser does and returns what the app's Python code drew. */
function greeting(url: string, page: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    let seen = '';
    socket.onerror = () => reject(new Error('the websocket failed'));
    socket.onopen = () => socket.send(`+ ${page} `);
    socket.onmessage = ({ data }) => {
      seen += String(data);
      if (!/"(text_xl|markdown|content)"/.test(seen)) return;
      socket.close();
      resolve(seen);
    };
  });
}

test('the environment of the app holds what it needs and nothing of the launcher', limit, async () => {
  bench.store.bundle = await waveBundle(tellingApp);
  const instance = await bench.start({
    config: {
      env: [
        { name: 'MY_OWN', value: 'first' },
        { name: 'MY_OWN', value: 'last' },
        { name: 'H2O_WAVE_MAX_REQUEST_SIZE', value: '7M' },
        { name: 'spring.data-source.url', value: 'of a tool of Java' },
      ],
      files: [{ path: 'conf/settings.txt', value: 'written by the launcher' }],
      network: { httpProxy: 'http://proxy.invalid:3128' },
    },
    env: { SSL_CERT_DIR: '/etc/ssl/certs', SOMETHING_ELSE: 'of the sandbox' },
  });
  const line = await instance.untilLine(/\| ENV /);
  await instance.untilReady();
  const env = JSON.parse(line.slice(line.indexOf('{'))) as Record<string, string>;
  assert.equal(env.H2O_CLOUD_ENVIRONMENT, bench.store.url);
  assert.equal(env.H2O_CLOUD_INSTANCE_ID, instance.id);
  assert.deepEqual(
    [env.H2O_CLOUD_APP_ID, env.H2O_CLOUD_APP_NAME, env.H2O_CLOUD_APP_VERSION, env.H2O_CLOUD_INSTANCE_OWNER],
    ['app-1', 'test-app', '1.2.3', 'ada'],
  );
  assert.equal(env.MY_OWN, 'last');
  assert.equal(env['spring.data-source.url'], 'of a tool of Java');
  assert.equal(env.HTTPS_PROXY, 'http://proxy.invalid:3128');
  assert.match(env.NO_PROXY ?? '', /127\.0\.0\.1/);
  assert.equal(env.SSL_CERT_DIR, '/etc/ssl/certs');
  assert.equal(env.H2O_CLOUD_CLIENT_PLATFORM_TOKEN, undefined);
  assert.ok(!Object.keys(env).some((name) => name.startsWith('HAIC_') || name === 'SOMETHING_ELSE'));
  assert.ok(!line.includes(bench.store.key));
  assert.ok(!line.includes('instance.json'));
  assert.match(await instance.untilLine(/\| CWD /), new RegExp(`CWD ${path.join(instance.root, 'app')}$`));
  assert.match(await instance.untilLine(/\| FILE /), /written by the launcher/);

  const waved = await environmentOfWaved(instance.portApp);
  assert.equal(waved.get('H2O_WAVE_MAX_REQUEST_SIZE'), '7M');
  assert.equal(waved.get('MY_OWN'), undefined);
  assert.ok(![...waved.keys()].some((name) => name.startsWith('HAIC_') || name.startsWith('H2O_CLOUD')));
  assert.notEqual(waved.get('H2O_WAVE_ACCESS_KEY_SECRET'), 'access_key_secret');
  await instance.stop();
});

async function environmentOfWaved(port: number): Promise<Map<string, string>> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const text = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (!text.includes(`H2O_WAVE_LISTEN=127.0.0.1:${port}`)) continue;
    return new Map(
      text.split('\0').map((entry) => [entry.split('=')[0] ?? '', entry.slice(entry.indexOf('=') + 1)]),
    );
  }
  throw new Error('waved does not run');
}

test('with a base URL everything lives below it', limit, async () => {
  bench.store.bundle = await sampleBundle('hello');
  const baseUrl = '/instance/abc/';
  const instance = await bench.start({
    config: { baseUrl, env: [{ name: 'HELLO_GREETING', value: 'Welcome' }] },
  });
  await instance.untilReady();
  const index = await (await fetch(`${instance.appUrl}${baseUrl}`)).text();
  assert.match(index, /data-base-url="\/instance\/abc\/"/);
  const socket = `${instance.appUrl.replace('http', 'ws')}${baseUrl}_s/`;
  assert.match(await greeting(socket, baseUrl), /Welcome, world!/);
  await instance.stop();
});

test('bundles reach their own public folder from where waved runs', limit, async () => {
  bench.store.bundle = await waveBundle(tellingApp, [{ name: 'static/hi.txt', content: 'from the bundle' }]);
  const instance = await bench.start({
    config: {
      env: [{ name: 'H2O_WAVE_PUBLIC_DIR', value: '/assets/@../../app/static/' }],
      files: [{ path: 'conf/settings.txt', value: 'x' }],
    },
  });
  await instance.untilReady();
  assert.equal(await (await fetch(`${instance.appUrl}/assets/hi.txt`)).text(), 'from the bundle');
  await instance.stop();
});

test('on SIGTERM the app ends first, then waved, and nothing is left', limit, async () => {
  const source = `
import os, subprocess
from h2o_wave import Q, app, main
child = subprocess.Popen(['sleep', '600'])
print('CHILD', child.pid, flush=True)
async def bye():
    import urllib.request
    address = os.environ['H2O_WAVE_ADDRESS']
    print('BYE waved answers', urllib.request.urlopen(address).status, flush=True)
@app('/', on_shutdown=bye)
async def serve(q: Q):
    pass
`;
  bench.store.bundle = await waveBundle(source);
  const instance = await bench.start();
  await instance.untilReady();
  assert.notDeepEqual(await processesOf(instance.id), []);
  assert.deepEqual(await instance.stop(), { code: 0, signal: null });
  assert.ok(
    instance.lines.some((line) => /BYE waved answers 200/.test(line)),
    instance.lines.join('\n'),
  );
  assert.deepEqual(await processesOf(instance.id), []);
  const child = Number(/CHILD (\d+)/.exec(instance.lines.join('\n'))?.[1]);
  await assert.rejects(access(`/proc/${child}/cwd`));
});

test('a Python app without Wave listens itself', limit, async () => {
  const source = `
import http.server, os
class Hi(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'plain python')
http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Hi).serve_forever()
`;
  bench.store.bundle = makeZip([{ name: 'app.toml' }, { name: 'server.py', content: source }]);
  const instance = await bench.start({ config: { mode: 'python', module: 'server' } });
  await instance.untilReady();
  assert.equal(await (await fetch(instance.appUrl)).text(), 'plain python');
  await instance.stop();
});

test(
  'what the app gets of secrets is asked for at each start, in no log, and in no environment but its own',
  limit,
  async () => {
    const secretsOf = (value: string) => ({
      status: 200,
      body: {
        env: [{ name: 'DB_PASSWORD', value }],
        files: [
          {
            path: 'conf/key.txt',
            base64: Buffer.from(`${value}-in-a-file\nand more of ${value}`).toString('base64'),
          },
        ],
      },
    });
    const config = { secrets: true, files: [{ path: 'more/settings.txt', value: 'x' }] };
    let root: string | undefined;
    for (const value of ['canary-7c1f-first', 'canary-7c1f-second']) {
      bench.store.secrets = secretsOf(value);
      bench.store.bundle = await waveBundle(`
import os
from h2o_wave import Q, app, main
print('ENV ' + os.environ['DB_PASSWORD'], flush=True)
print('FILE ' + open('conf/key.txt').read(), flush=True)
print('LENGTH %d' % len(os.environ['DB_PASSWORD']), flush=True)
@app('/')
async def serve(q: Q):
    pass
`);
      const instance = await bench.start({ config, ...(root === undefined ? {} : { root }) });
      root = instance.root;
      await instance.untilReady();
      const log = instance.lines.join('\n');
      assert.match(log, new RegExp(`LENGTH ${value.length}`));
      assert.match(log, /ENV \[redacted\]/);
      assert.match(log, /FILE \[redacted\]/);
      assert.doesNotMatch(log, /canary/);
      assert.doesNotMatch(JSON.stringify(await instance.status()), /canary/);
      assert.equal(
        await readFile(path.join(instance.root, 'app/conf/key.txt'), 'utf8'),
        `${value}-in-a-file\nand more of ${value}`,
      );
      const holders = await holdersOf(value);
      assert.ok(
        holders.length > 0 && holders.every((command) => /uvicorn/.test(command)),
        holders.join('\n'),
      );
      assert.equal((await instance.stop()).code, 0);
    }
    assert.equal(bench.store.calls.filter((call) => call.endsWith('/secrets')).length, 2);
  },
);

/** Command lines of the processes of this machine whose environment holds a value; none may hold it in the command itself. */
async function holdersOf(value: string): Promise<string[]> {
  const holders: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    assert.ok(!command.includes(value));
    if (environment.includes(value)) holders.push(command);
  }
  return holders;
}
