import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  openWorkbench,
  poll,
  processesOf,
  sampleBundle,
  type TestInstance,
  type Workbench,
  waveBundle,
  waveRequirements,
} from './testing/harness.ts';
import { makeZip } from './testing/zip.ts';

const limit = { timeout: 120_000 };
let bench: Workbench;
before(async () => {
  bench = await openWorkbench();
}, limit);
after(() => bench.close());

async function failureOf(instance: TestInstance) {
  const { failure } = await instance.until(({ phase }) => phase === 'failed');
  assert.deepEqual(await instance.ended, { code: 1, signal: null });
  assert.ok(
    instance.lines.some((line) => line.startsWith('launcher | FAILED: ')),
    'the log says it too',
  );
  assert.deepEqual(await processesOf(instance.id), []);
  return failure ?? assert.fail('no failure in the status');
}

test(
  'an app that crashes at import shows its traceback and the cause, also after the restart',
  limit,
  async (t) => {
    bench.store.bundle = await waveBundle('import pandas_of_nobody\nfrom h2o_wave import main\n');
    const instance = await bench.start();
    const failure = await failureOf(instance);
    assert.match(failure.message, /The app ended with exit code 1\. The app imports "pandas_of_nobody"/);
    assert.match(failure.lines.join('\n'), /Traceback[\s\S]*ModuleNotFoundError/);
    assert.ok(failure.lines.length <= 20);
    assert.ok(instance.lines.some((line) => /^app +\| ModuleNotFoundError/.test(line)));

    const release = bench.store.hold();
    // What is held would hold up every test after this one.
    t.after(release);
    const next = await bench.start({ root: instance.root });
    const status = await next.until(({ phase }) => phase === 'fetching');
    assert.match(status.previousFailure?.message ?? '', /pandas_of_nobody/);
    const page = await fetch(next.statusUrl, { headers: { accept: 'text/html' } });
    assert.match(await page.text(), /It was started again[\s\S]*pandas_of_nobody/);
    bench.store.bundle = await sampleBundle('hello');
    release();
    await next.untilReady();
    assert.match((await next.status()).previousFailure?.message ?? '', /pandas_of_nobody/);
    await next.stop();
    assert.ok(!(await readdir(path.join(instance.root, 'resources/launcher'))).includes('last-failure.json'));
  },
);

test('a module without main is named', limit, async () => {
  bench.store.bundle = await waveBundle('x = 1\n');
  const failure = await failureOf(await bench.start());
  assert.match(failure.message, /The module src\.app has no "main"/);
});

test('a requirement that does not exist is told with the words of the resolver', limit, async () => {
  bench.store.bundle = makeZip([
    { name: 'requirements.txt', content: 'h2o-wave==0.0.0.1\n' },
    { name: 'src/app.py', content: '' },
  ]);
  const failure = await failureOf(await bench.start());
  assert.match(failure.message, /The dependencies could not be installed/);
  assert.match(failure.lines.join('\n') + failure.message, /h2o-wave/);
});

const brokenPackage = (setup: string) =>
  makeZip([
    { name: 'requirements.txt', content: './vendored\n' },
    { name: 'vendored/setup.py', content: setup },
    {
      name: 'server.py',
      content:
        'import vendored, os, http.server\nprint("VALUE", vendored.value, flush=True)\nhttp.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()\n',
    },
    { name: 'vendored/vendored.py', content: 'value = 42\n' },
  ]);
const asPython = { mode: 'python', module: 'server' } as const;

test('a requirement that does not build ends with the message of its build', limit, async () => {
  const setup =
    'import os\nprint("SECRETS", [n for n in os.environ if n.startswith("HAIC")])\nraise SystemExit("this needs a compiler of 1978")\n';
  bench.store.bundle = brokenPackage(setup);
  const instance = await bench.start({ config: asPython });
  const failure = await failureOf(instance);
  assert.match(failure.message, /private build failed/);
  assert.match(failure.lines.join('\n'), /compiler of 1978/);
  assert.match(instance.lines.join('\n'), /SECRETS \[\]/);
});

test('a requirement without a wheel is built for this instance alone, once', limit, async () => {
  const setup =
    'from setuptools import setup\nsetup(name="vendored", version="1.0", py_modules=["vendored"])\n';
  bench.store.bundle = brokenPackage(setup);
  const instance = await bench.start({ config: asPython });
  await instance.untilReady();
  assert.ok(instance.lines.some((line) => line.includes('VALUE 42')));
  await instance.stop();
  const again = await bench.start({ config: asPython, root: instance.root });
  await again.untilReady();
  assert.ok(
    again.lines.some((line) => line.includes('private environment of this instance is there already')),
  );
  await again.stop();
});

test('when waved is killed the launcher ends and takes the app with it', limit, async () => {
  bench.store.bundle = await sampleBundle('hello');
  const instance = await bench.start();
  await instance.untilReady();
  process.kill(await pidOf(/waved$/, `H2O_WAVE_LISTEN=127.0.0.1:${instance.portApp}`), 'SIGKILL');
  const failure = await failureOf(instance);
  assert.match(failure.message, /waved.*was killed/);
});

test('when the app is killed the launcher ends and takes waved with it', limit, async () => {
  bench.store.bundle = await sampleBundle('hello');
  const instance = await bench.start();
  await instance.untilReady();
  process.kill(await pidOf(/python/, `H2O_CLOUD_INSTANCE_ID=${instance.id}`), 'SIGKILL');
  const failure = await failureOf(instance);
  assert.match(failure.message, /The app was killed \(SIGKILL\), often because it used more memory/);
  await assert.rejects(fetch(instance.appUrl), 'waved is gone');
});

async function pidOf(program: RegExp, variable: string): Promise<number> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environment.split('\0').includes(variable)) continue;
    const command = (await readFile(`/proc/${pid}/cmdline`, 'latin1')).split('\0')[0] ?? '';
    if (program.test(command)) return Number(pid);
  }
  throw new Error(`no process with ${variable}`);
}

const oidcOf = (change: Record<string, string> = {}) => ({
  providerUrl: bench.store.issuer,
  clientId: 'haic-app-x',
  clientSecret: 'a-client-secret',
  redirectUrl: 'http://127.0.0.1:1/_auth/callback',
  endSessionUrl: `${bench.store.issuer}/protocol/openid-connect/logout`,
  postLogoutRedirectUrl: bench.store.url,
  ...change,
});

test('an app that asks for OIDC never runs with half of its settings', limit, async () => {
  const callsBefore = bench.store.calls.length;
  const instance = await bench.start({ config: { oidc: oidcOf({ clientSecret: '' }) } });
  const failure = await failureOf(instance);
  assert.match(failure.message, /oidc\.clientSecret is missing/);
  assert.equal(bench.store.calls.length, callsBefore, 'nothing was even fetched');
});

test('a configuration that is no JSON is refused without showing it', limit, async () => {
  const instance = await bench.start({ rawConfig: '{"hmacKey": "very-secret"' });
  const failure = await failureOf(instance);
  assert.match(failure.message, /the file is not JSON/);
  assert.ok(!instance.lines.join('\n').includes('very-secret'));
});

test('waved waits for the issuer and the page says so', limit, async () => {
  bench.store.bundle = await sampleBundle('hello');
  bench.store.issuerUp = false;
  const instance = await bench.start({ config: { oidc: oidcOf() } });
  const waiting = await instance.until(({ message }) => /sign-in service/.test(message));
  assert.equal(waiting.phase, 'starting');
  assert.match(waiting.message, /it answers 503/);
  await assert.rejects(fetch(instance.appUrl), 'waved does not listen yet');
  bench.store.issuerUp = true;
  await instance.untilReady();
  const answer = await fetch(instance.appUrl, { redirect: 'manual' });
  assert.equal(answer.status, 302, 'waved asks for a sign-in');
  assert.match(answer.headers.get('location') ?? '', /_auth\/login/);
  assert.ok(!instance.lines.join('\n').includes('a-client-secret'));
  await instance.stop();
});

test('[[File]] values that would leave the app are refused', limit, async () => {
  bench.store.bundle = await sampleBundle('hello');
  for (const name of ['conf/../../escaped.txt', '/resources/x/y', '/etc/x/y']) {
    const instance = await bench.start({ config: { files: [{ path: name, value: 'x' }] } });
    assert.match(
      (await failureOf(instance)).message,
      /\[\[File\]\].*not below the app's own folder or one of its own/,
    );
  }
});

test(
  'while the store cannot be reached the launcher asks again, and gives up at the deadline',
  limit,
  async () => {
    bench.store.bundle = await sampleBundle('hello');
    bench.store.bundleStatus = 503;
    const patient = await bench.start();
    await patient.untilLine(/could not be fetched .*503.*Trying again/);
    const hasty = await bench.start({ env: { H2O_CLOUD_APP_DOWNLOAD_TIMEOUT: '1' } });
    assert.match((await failureOf(hasty)).message, /The bundle could not be fetched: .*503/);
    bench.store.bundleStatus = 200;
    await patient.untilReady();
    await patient.stop();
    bench.store.bundleStatus = 403;
    assert.match((await failureOf(await bench.start())).message, /the store says no/);
    bench.store.bundleStatus = 200;
  },
);

test('a bundle that is no zip is refused with words', limit, async () => {
  bench.store.bundle = Buffer.from('not a zip');
  assert.match((await failureOf(await bench.start())).message, /damaged or not a zip archive/);
});

test('stopping while it installs or waits ends at once and cleanly', limit, async () => {
  bench.store.bundle = await sampleBundle('hello');
  bench.store.issuerUp = false;
  const instance = await bench.start({ config: { oidc: oidcOf() } });
  await instance.until(({ phase }) => phase === 'starting');
  assert.deepEqual(await instance.stop(), { code: 0, signal: null });
  bench.store.issuerUp = true;
});

test('a port that another process holds is told', limit, async (context) => {
  bench.store.bundle = await sampleBundle('hello');
  const release = bench.store.hold();
  const instance = await bench.start();
  const squatter = createServer();
  context.after(() => squatter.close());
  await new Promise<void>((resolve) => squatter.listen(instance.portApp, '127.0.0.1', resolve));
  release();
  const failure = await failureOf(instance);
  assert.match(failure.message, /Port \d+ of this instance is taken/);
});

test('packages.txt brings programs that the system has not', limit, async (context) => {
  bench.store.bundle = makeZip([
    { name: 'packages.txt', content: 'hello\n--evil-option\n' },
    { name: 'requirements.txt', content: await waveRequirements() },
    {
      name: 'server.py',
      content:
        'import os, subprocess, http.server\nprint("RAN", subprocess.run(["hello"], capture_output=True, text=True).stdout, flush=True)\nhttp.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()\n',
    },
  ]);
  const instance = await bench.start({ config: asPython });
  await poll(async () => {
    const { phase } = await instance.status().catch(() => ({ phase: 'not yet' }));
    return phase === 'ready' || phase === 'failed' ? true : undefined;
  });
  const log = instance.lines.join('\n');
  assert.match(log, /"--evil-option" is not a package name/);
  await instance.stop();
  // A machine without apt, or whose index is empty, says so and goes on.
  if (/packages\.txt could not be installed here/.test(log)) return context.skip('apt has no packages here');
  assert.match(log, /RAN Hello, world!/);
});

test(
  'a secret that the app may not have ends the start in the words of the store; one that is late is waited for',
  limit,
  async () => {
    bench.store.bundle = await sampleBundle('hello');
    const detail =
      'Hello gets no secrets. For the variable KEY: There is no secret "db" that this app may have.';
    bench.store.secrets = { status: 403, body: { code: 'secret_unavailable', detail } };
    const failure = await failureOf(await bench.start({ config: { secrets: true } }));
    assert.match(failure.message, /secrets of this app could not be had[\s\S]*There is no secret "db"/);

    bench.store.secrets = {
      status: 503,
      body: { code: 'secure_store_unavailable', detail: 'Not just now.' },
    };
    const instance = await bench.start({ config: { secrets: true } });
    await instance.until(({ message }) => /Waiting for the secrets/.test(message));
    bench.store.secrets = { status: 200, body: { env: [], files: [] } };
    await instance.untilReady();
    await instance.stop();
  },
);
