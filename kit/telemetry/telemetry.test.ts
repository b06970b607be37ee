import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, describe, it } from 'node:test';
import { createLogger } from '../logging.ts';
import { createMeter, type Meter } from './meter.ts';
import { startOperationsServer } from './operations-server.ts';
import { requestIdHeader, takeOverRequestId } from './request-id.ts';
import { withinRequest } from './within-request.ts';

const quiet = createLogger('test', 'silent');
const closing: (() => Promise<unknown>)[] = [];
after(() => Promise.all(closing.map((close) => close())));

async function operations(meter: Meter, endingMs?: number) {
  const server = await startOperationsServer({
    meter,
    listen: { host: '127.0.0.1', port: 0 },
    logger: quiet,
    ...(endingMs === undefined ? {} : { endingMs }),
  });
  closing.push(server.close);
  const get = async (path: string, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return { status: answer.status, text: await answer.text(), type: answer.headers.get('content-type') };
  };
  return { server, get };
}

/** Of one series, whatever the order of its labels. */
function sampleOf(text: string, name: string, labels: Readonly<Record<string, string>>): number | undefined {
  const wanted = Object.entries({ service: 'test', ...labels }).map(
    ([label, value]) => `${label}="${value}"`,
  );
  const line = text
    .split('\n')
    .find(
      (each) =>
        each.startsWith(`${name}{`) && sameLabels(each.slice(name.length + 1, each.indexOf('}')), wanted),
    );
  return line === undefined ? undefined : Number(line.slice(line.indexOf('}') + 1));
}
const sameLabels = (written: string, wanted: readonly string[]): boolean =>
  written.split(',').toSorted().join() === wanted.toSorted().join();

describe('what those who operate Haic ask of a process', () => {
  it('is alive from the first moment, and ready between its begin and its end', async () => {
    const { server, get } = await operations(await createMeter('test'));
    assert.equal((await get('/livez')).status, 200);
    assert.equal((await get('/readyz')).status, 503);
    server.setReady(true);
    assert.equal((await get('/readyz')).status, 200);
    server.setReady(false);
    assert.equal((await get('/readyz')).status, 503);
    assert.equal((await get('/livez')).status, 200);
  });

  it('is told that it ends before it is stopped, and has a moment for it', async () => {
    const { server, get } = await operations(await createMeter('test'), 200);
    server.setReady(true);
    assert.equal(server.isEnding(), false);
    const begun = performance.now();
    assert.equal((await get('/ending', 'POST')).status, 404);
    assert.equal(server.isEnding(), false);
    assert.equal((await get('/ending')).status, 200);
    assert.ok(performance.now() - begun >= 190);
    assert.equal(server.isEnding(), true);
    // Whoever asks is not believed for good: it is as ready as before.
    assert.equal((await get('/readyz')).status, 200);
  });

  it('gives metrics to who reads them, and nothing else to anybody', async () => {
    const { get } = await operations(await createMeter('test'));
    const { status, text, type } = await get('/metrics');
    assert.equal(status, 200);
    assert.match(type ?? '', /^text\/plain; version=0\.0\.4/);
    assert.match(text, /^haic_build_info\{version="[^"]+",service="test"\} 1$/m);
    assert.match(text, /^nodejs_eventloop_lag_p99_seconds\{/m);
    assert.equal((await get('/')).status, 404);
    assert.equal((await get('/metrics', 'POST')).status, 404);
  });

  it('counts answers by class and kind of status, and those whom nobody waited for', async () => {
    const meter = await createMeter('test');
    const server = createServer((request, response) => {
      meter.answer('api', response);
      if (request.url === '/never') return;
      response.statusCode = 404;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
    const { port } = server.address() as AddressInfo;
    await (await fetch(`http://127.0.0.1:${port}/`)).text();
    await assert.rejects(fetch(`http://127.0.0.1:${port}/never`, { signal: AbortSignal.timeout(100) }));
    const count = (text: string, status: string) =>
      sampleOf(text, 'haic_request_duration_seconds_count', { class: 'api', status });
    for (let tries = 0; ; tries += 1) {
      const text = await meter.render();
      if (count(text, '4xx') === 1 && count(text, '499') === 1) break;
      assert.ok(tries < 200, 'both are counted');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  it('counts WebSockets that are open, until they close', async () => {
    const meter = await createMeter('test');
    const socket = new EventEmitter();
    meter.connection('app', socket as unknown as Duplex);
    assert.equal(sampleOf(await meter.render(), 'haic_open_connections', { class: 'app' }), 1);
    socket.emit('close');
    const text = await meter.render();
    assert.equal(sampleOf(text, 'haic_open_connections', { class: 'app' }), 0);
    assert.equal(sampleOf(text, 'haic_connections_total', { class: 'app' }), 1);
  });

  it('leaves out what it cannot read, and what is no more', async () => {
    const meter = await createMeter('test');
    let phases = ['Running', 'Failed'];
    meter.gauge({
      name: 'haic_workloads',
      help: 'Test.',
      labels: ['phase'],
      read: () => phases.map((phase) => ({ value: 1, labels: { phase } })),
    });
    meter.gauge({ name: 'haic_broken', help: 'Test.', read: () => Promise.reject(new Error('away')) });
    assert.equal(sampleOf(await meter.render(), 'haic_workloads', { phase: 'Failed' }), 1);
    phases = ['Running'];
    const text = await meter.render();
    assert.doesNotMatch(text, /Failed/);
    assert.equal(sampleOf(text, 'haic_workloads', { phase: 'Running' }), 1);
    assert.equal(sampleOf(text, 'haic_broken', {}), undefined);
  });
});

describe('the id of a request', () => {
  it('is the one that the router gave, if it is one', () => {
    const id = '0c5e9f8e-1f43-4f0e-9d0b-6a1f5f2d7c11';
    assert.equal(takeOverRequestId({ headers: { [requestIdHeader]: id } }), id);
    for (const wrong of ['', 'x', `${id}\n`, 'A'.repeat(36), [id, id]])
      assert.notEqual(takeOverRequestId({ headers: { [requestIdHeader]: wrong } }), wrong);
  });

  it('is in every line of the log that is written meanwhile, also later and elsewhere', async () => {
    const lines: string[] = [];
    const logger = createLogger('test', 'info', { write: (line) => void lines.push(line) });
    logger.info('before');
    await withinRequest('an-id', undefined, async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      logger.child({ part: 'x' }).warn('within');
    });
    logger.info('after');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { requestId?: string }).requestId),
      [undefined, 'an-id', undefined],
    );
  });
});
