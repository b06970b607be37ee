import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import {
  type ApiInstance,
  callApi,
  importBundle,
  instanceLog,
  runApp,
  waitForStatus,
} from '../support/api.ts';
import { bundleSample, type Haic, startHaic } from '../support/haic.ts';
import {
  type AppParts,
  askApp,
  bornOf,
  eventually,
  importApp,
  processesOfInstance,
  shimsOf,
  startProbe,
} from './support.ts';

interface Failed extends ApiInstance {
  readonly lastFailure?: { readonly exitCode?: number; readonly reason: string; readonly message: string };
}

describe('an app that fails', () => {
  let haic: Haic;
  let token: string;

  before(async () => {
    haic = await startHaic({ HAIC_INSTANCE_LIMIT: '50' });
    await haic.addUser('ada');
    token = await haic.accessToken('ada');
  });
  after(() => haic?.stop());

  const instance = async (id: string): Promise<Failed> =>
    (await callApi<Failed>(haic, token, 'GET', `/api/v1/instances/${id}`)).body;
  const start = async (parts: AppParts): Promise<string> =>
    (await runApp(haic, token, await importApp(haic, token, parts))).id;
  const terminate = async (id: string) =>
    void (await callApi(haic, token, 'DELETE', `/api/v1/instances/${id}`));
  /** Waits for an ended attempt that is the `count`-th at least. */
  const restartsOf = (id: string, count: number) =>
    eventually(async () => {
      const now = await instance(id);
      return now.status === 'DEPLOYED' && now.restartCount >= count ? now : undefined;
    });

  it('its python process killed: it restarts, says why, and keeps the log from before', async () => {
    const id = await startProbe(haic, token);
    const born = await bornOf(haic, token, id);
    const [python, ...others] = await processesOfInstance(haic, id, /python -m main$/);
    assert.deepEqual(others, []);
    process.kill(python?.pid ?? 0, 'SIGKILL');
    const again = await restartsOf(id, 1);
    assert.match(again.lastFailure?.message ?? '', /SIGKILL/);
    assert.notEqual(await eventually(() => bornOf(haic, token, id)), born);
    assert.match(await instanceLog(haic, token, id, '?previous=true'), new RegExp(`probe ${born}`));
    assert.doesNotMatch(await instanceLog(haic, token, id), new RegExp(`probe ${born}`));
    assert.equal((await shimsOf(haic, id)).length, 1);
    await terminate(id);
    await eventually(async () => ((await shimsOf(haic, id)).length === 0 ? true : undefined));
  });

  it('its Wave server killed: app and Wave server start again together', async () => {
    token = await haic.accessToken('ada');
    const app = await importBundle(haic, token, await bundleSample(haic, 'hello'));
    const { id } = await runApp(haic, token, app.id);
    await waitForStatus(haic, token, id, 'DEPLOYED');
    const [waved] = await processesOfInstance(haic, id, /\/waved$/);
    const [python] = await processesOfInstance(haic, id, /python -m uvicorn/);
    process.kill(waved?.pid ?? 0, 'SIGKILL');
    const again = await restartsOf(id, 1);
    assert.match(again.lastFailure?.message ?? '', /Wave server \(waved\).*SIGKILL/);
    const [pythonNow] = await processesOfInstance(haic, id, /python -m uvicorn/);
    assert.notEqual(pythonNow?.pid, python?.pid);
    assert.equal((await processesOfInstance(haic, id, /\/waved$/)).length, 1);
    await terminate(id);
  });

  it('ended again and again: the pauses grow, and what happened is said all the while', async () => {
    const id = await start({ source: 'import sys\nprint("no will to live", flush=True)\nsys.exit(7)\n' });
    const failed = await eventually(async () => {
      const now = await instance(id);
      return now.reason === 'CrashLoopBackOff' && now.restartCount >= 2 ? now : undefined;
    });
    assert.equal(failed.status, 'FAILED');
    assert.match(failed.message, /exit code 7/);
    const pause = /started again after ([\d.]+) s/.exec(failed.message)?.[1];
    assert.ok(Number(pause) >= 4, `the third pause is longer: ${failed.message}`);
    assert.match(await instanceLog(haic, token, id), /no will to live/);
    assert.match(await instanceLog(haic, token, id, '?previous=true'), /no will to live/);
    await terminate(id);
  });

  it('that crashes at import is FAILED, with the traceback in its log and the cause in its message', async () => {
    const id = await start({ source: 'import a_module_that_nobody_has\n' });
    const failed = await waitForStatus(haic, token, id, 'FAILED');
    assert.match(failed.message, /a_module_that_nobody_has/);
    const log = await instanceLog(haic, token, id);
    assert.match(log, /Traceback \(most recent call last\)/);
    assert.match(log, /ModuleNotFoundError: No module named 'a_module_that_nobody_has'/);
    const page = await askApp(haic, token, id);
    assert.notEqual(page?.status, 200);
    await terminate(id);
  });

  it('that asks for a requirement which does not exist says which', async () => {
    const id = await start({
      files: [{ name: 'requirements.txt', content: 'haic-no-such-distribution==1.2.3\n' }],
    });
    const failed = await waitForStatus(haic, token, id, 'FAILED');
    assert.match(failed.message, /dependencies could not be installed.*haic-no-such-distribution/s);
    await terminate(id);
  });

  it('that asks for a requirement which does not build says so, and how the build ended', async () => {
    token = await haic.accessToken('ada');
    // A source distribution in the bundle, whose build fails; the build is the app's own, in its sandbox.
    const setup = 'raise SystemExit("this one does not build")\n';
    const project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n';
    const id = await start({
      files: [
        { name: 'requirements.txt', content: './broken\n' },
        { name: 'broken/pyproject.toml', content: project },
        { name: 'broken/backend.py', content: setup },
      ],
    });
    const failed = await waitForStatus(haic, token, id, 'FAILED');
    assert.match(failed.message, /dependencies could not be installed/);
    assert.match(await instanceLog(haic, token, id), /broken/);
    await terminate(id);
  });

  it('whose fixed port is taken says PortTaken, and starts when it is free', async () => {
    const { squatter, port } = await listenSomewhere();
    let id: string;
    try {
      id = await start({ runtime: [`Port = ${port}`] });
      const failed = await waitForStatus(haic, token, id, 'FAILED');
      assert.equal(failed.reason, 'PortTaken');
      assert.match(failed.message, new RegExp(`Port ${port} is used by another program`));
    } finally {
      squatter.close();
    }
    await eventually(async () => ((await instance(id)).status === 'DEPLOYED' ? true : undefined));
    assert.equal(typeof (await bornOf(haic, token, id)), 'string');
    await terminate(id);
  });

  it('over its memory limit is ended, OOMKilled, and the limit is named', async () => {
    const id = await startProbe(haic, token, { runtime: ['MemoryLimit = "256Mi"'] });
    await askApp(haic, token, id, '/eat?mib=400');
    const ended = await eventually(async () => {
      const now = await instance(id);
      return now.lastFailure === undefined ? undefined : now;
    });
    assert.equal(ended.lastFailure?.reason, 'OOMKilled');
    assert.match(ended.lastFailure?.message ?? '', /256 MiB.*MemoryLimit/);
    await restartsOf(id, 1);
    await terminate(id);
  });
});

async function listenSomewhere(): Promise<{ squatter: Server; port: number }> {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const address = squatter.address();
  return { squatter, port: typeof address === 'object' && address !== null ? address.port : 0 };
}
