import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { deadline, sleep, until } from '@haic/kit/deadline.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { makeInstallation } from '@haic/platform/runtime/local/testing.ts';
import { connectInstaller } from '@haic/services/environments/client.ts';
import { installerName } from './installer.ts';
import { watchInstaller } from './installer-watchdog.ts';

const logger = createLogger('core', 'silent');
const signal = AbortSignal.timeout(60_000);
const folder = await mkdtemp(path.join(tmpdir(), 'installer-watchdog-'));
const place = await makeInstallation({ isolation: 'none' });
const runtime = await place.start();
after(async () => {
  await place.destroy();
  await rm(folder, { recursive: true });
});

/** Counts its starts; the first `hung` of them never make the socket. */
const program = (hung: number) => `
const fs = require('node:fs');
fs.appendFileSync('starts', 'x');
const starts = fs.readFileSync('starts').length;
if (starts > ${hung}) require('node:http').createServer((q, r) => r.end('{}')).listen('installer.sock');
setInterval(() => {}, 1000);`;

const start = (hung: number) =>
  runtime.apply(
    {
      name: installerName,
      labels: {},
      annotations: {},
      replicas: 1,
      template: {
        image: 'system',
        command: [process.execPath, '-e', program(hung)],
        workingDirectory: folder,
        env: [],
        secret: {},
        ports: [],
        resources: {},
        volumes: [],
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 1,
      },
    },
    { signal },
  );
const starts = async () => (await readFile(path.join(folder, 'starts'), 'utf8').catch(() => '')).length;

test('an installer that never makes its socket is started again until it does, and then left alone', async () => {
  await start(2);
  const installer = connectInstaller(path.join(folder, 'installer.sock'));
  const watchdog = watchInstaller({ runtime, installer, logger, everyMs: 100, patienceMs: 1_000 });
  const answers = () =>
    installer.health().then(
      () => true,
      () => undefined,
    );
  await until(answers, { everyMs: 50, signal: deadline(40_000) });
  const before = await starts();
  assert.ok(before >= 3);
  // Longer than its patience.
  await sleep(1_500);
  assert.equal(await starts(), before);
  watchdog.stop();
});
