import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { parseLauncherConfig } from '@haic/launcher/config.ts';
import { InstanceLog } from '@haic/launcher/instance-log.ts';
import { LaunchStatus } from '@haic/launcher/status.ts';
import { startStatusServer } from '@haic/launcher/status-server.ts';
import { connectStore } from '@haic/launcher/store.ts';
import type { FakeRuntime } from '@haic/platform/runtime/fake.ts';
import { readReport } from './launcher-report.ts';
import { workloadNameOf } from './model.ts';
import { exampleApp, people, startTestScheduler, type TestScheduler } from './testing.ts';

/** What the scheduler writes for the launcher, read by the launcher; with the address of the test's own server. */
async function launchedWith(t: TestScheduler & { runtime: FakeRuntime }, visibility = 'PRIVATE') {
  const id = await t.run(people.owner, { visibility });
  const text = t.runtime.specOf(workloadNameOf(id))?.template.secret['instance.json'] ?? '';
  return { id, config: { ...parseLauncherConfig(text), storeUrl: t.url } };
}

test('the launcher accepts the configuration of every kind of app', async () => {
  const kinds = [
    exampleApp(),
    exampleApp({ runtime: { oidc: true, routingMode: 'BASE_URL', volumeMount: '/data' } }),
    exampleApp({ runtime: { mode: 'python', port: 8501, module: 'pkg.main' } }),
    exampleApp({
      manifest: {
        env: [{ name: 'EMPTY', from: { kind: 'literal', value: '' } }],
        files: [{ path: 'conf/a.ini', from: { kind: 'literal', value: 'x\n' } }],
      },
    }),
  ];
  for (const app of kinds) {
    await using t = await startTestScheduler({ app });
    for (const visibility of ['PRIVATE', 'ALL_USERS', 'PUBLIC']) {
      const { config } = await launchedWith(t, visibility);
      assert.equal(config.platformHandle, visibility === 'PRIVATE');
      assert.equal(config.oidc !== null, app.manifest.runtime.oidc);
    }
  }
});

test('the launcher’s own calls are understood: bundle, token, and the token’s end', async () => {
  await using t = await startTestScheduler();
  const { id, config } = await launchedWith(t);
  t.runtime.become(workloadNameOf(id), { phase: 'Running', startedAt: new Date().toISOString() });
  const store = connectStore(config);
  const signal = AbortSignal.timeout(10_000);
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-scheduler-'));
  try {
    await store.downloadBundle(path.join(directory, 'app.wave'), { maximumBytes: 1000, signal });
    assert.equal(await readFile(path.join(directory, 'app.wave'), 'utf8'), 'PK the bundle');
  } finally {
    await rm(directory, { recursive: true });
  }
  const token = await store.requestToken({ signal });
  assert.equal(token.status, 200);
  assert.equal((JSON.parse(token.body) as { token_type: string }).token_type, 'Bearer');
  await t.as(people.owner, `/api/v1/instances/${id}`, { method: 'PATCH', json: { visibility: 'PUBLIC' } });
  assert.equal((await store.requestToken({ signal })).status, 403);
});

test('the launcher’s report is understood, from the first stage to a failure', async () => {
  const log = new InstanceLog();
  const status = new LaunchStatus(log);
  const server = await startStatusServer({
    host: '127.0.0.1',
    port: 0,
    facts: () => ({ appName: 'Hello', appVersion: '1' }),
    status,
    log,
  });
  try {
    const read = () => readReport({ host: '127.0.0.1', port: server.port }, AbortSignal.timeout(10_000));
    status.enter('installing');
    status.say('Installing 3 packages');
    const installing = await read();
    assert.equal(installing?.message, 'Installing 3 packages');
    assert.deepEqual(
      installing?.stages.map((stage) => [stage.name, stage.state]),
      [
        ['fetching', 'done'],
        ['installing', 'running'],
        ['starting', 'waiting'],
        ['ready', 'waiting'],
      ],
    );
    status.fail('A requirement does not exist.', ['line 1']);
    const failed = await read();
    assert.deepEqual(
      [failed?.phase, failed?.failure],
      ['failed', { message: 'A requirement does not exist.', lines: ['line 1'] }],
    );
  } finally {
    await server.close();
  }
});
