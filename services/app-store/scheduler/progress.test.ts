import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { readReport } from './launcher-report.ts';
import { type Instance, workloadNameOf } from './model.ts';
import { people, startTestScheduler } from './testing.ts';

const { owner } = people;

async function startLauncher(answer: (response: ServerResponse) => void) {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    asked: () => asked,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 10, 0, seconds)).toISOString();

test('a start is followed through the launcher, and teaches what is usual', async () => {
  let report: unknown = {
    phase: 'installing',
    message: 'Installing pandas',
    stages: [
      { name: 'fetching', state: 'done', startedAt: at(0), finishedAt: at(1) },
      { name: 'installing', state: 'running', startedAt: at(1) },
    ],
  };
  using launcher = await startLauncher((response) => response.end(JSON.stringify(report)));
  await using t = await startTestScheduler({ intervals: { progressMs: 10 } });
  const id = await t.run(owner);
  const name = workloadNameOf(id);
  const endpoints = { status: launcher.endpoint };
  const ended = new AbortController();
  const seen = async (check: (instance: Instance) => boolean): Promise<Instance> => {
    const response = await t.as(owner, `/api/v1/instances/${id}/events`, { signal: ended.signal });
    assert.ok(response.body);
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      for (const match of text.matchAll(/^data: (\{"id".*)$/gm)) {
        const instance = JSON.parse(match[1] ?? '') as Instance;
        if (check(instance)) return instance;
      }
    }
    throw new Error('the stream ended');
  };
  const stage = (instance: Instance, wanted: string) => instance.stages.find((s) => s.name === wanted);

  t.runtime.become(name, { phase: 'Running', startedAt: at(0), endpoints });
  const installing = await seen((i) => i.message === 'Installing pandas');
  assert.equal(stage(installing, 'installing')?.state, 'running');
  assert.equal(stage(installing, 'installing')?.usualSeconds, undefined);

  report = {
    phase: 'ready',
    stages: [
      { name: 'fetching', state: 'done', startedAt: at(0), finishedAt: at(1) },
      { name: 'installing', state: 'done', startedAt: at(1), finishedAt: at(9) },
      { name: 'starting', state: 'done', startedAt: at(9), finishedAt: at(12) },
    ],
  };
  t.runtime.become(name, { phase: 'Ready' });
  const ready = await seen((i) => stage(i, 'installing')?.usualSeconds !== undefined);
  assert.deepEqual(
    [ready.status, stage(ready, 'installing')?.usualSeconds, stage(ready, 'starting')?.usualSeconds],
    ['DEPLOYED', 8, 3],
  );

  const asked = launcher.asked();
  t.runtime.become(name, { phase: 'Running', message: 'Readiness probe failed.' });
  const lost = await seen((i) => i.reason === 'NotReady');
  assert.equal(lost.status, 'STARTING');
  assert.ok(launcher.asked() >= asked, 'a settled instance is not asked again and again');
  ended.abort();
});

test('a hostile answer on the launcher’s port costs neither memory nor time', async () => {
  const signal = AbortSignal.timeout(20_000);
  const hostile: Record<string, (response: ServerResponse) => void> = {
    'endless bytes': (r) => {
      const more = () => {
        while (!r.destroyed && r.write(Buffer.alloc(64 * 1024, 32)));
      };
      r.on('drain', more);
      more();
    },
    'no end': (r) => void r.write('{'),
    'a redirect to the platform': (r) => r.writeHead(302, { location: 'http://127.0.0.1:8080/' }).end(),
    'an error': (r) => r.writeHead(500).end('{"phase":"ready"}'),
    garbage: (r) => r.end('\u0000\u0001'),
    'a broken connection': (r) => r.destroy(),
  };
  for (const [what, answer] of Object.entries(hostile)) {
    using launcher = await startLauncher(answer);
    assert.equal(await readReport(launcher.endpoint, signal), undefined, what);
  }
  assert.equal(await readReport({ host: '127.0.0.1', port: 1 }, signal), undefined, 'nothing listens');
});
