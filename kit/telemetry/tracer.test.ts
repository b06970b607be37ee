import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createHttpServer } from '../http/server.ts';
import { createLogger } from '../logging.ts';
import { createTracer, traceHeader } from './tracer.ts';
import { traced } from './within-request.ts';

interface Exported {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status?: { readonly code?: number };
}

describe('traces', () => {
  const spans: Exported[] = [];
  const services = new Set<string>();
  const collector = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    assert.equal(request.url, '/v1/traces');
    const { resourceSpans } = JSON.parse(body) as {
      resourceSpans: {
        resource: { attributes: { key: string; value: { stringValue?: string } }[] };
        scopeSpans: { spans: Exported[] }[];
      }[];
    };
    for (const { resource, scopeSpans } of resourceSpans) {
      for (const { key, value } of resource.attributes)
        if (key === 'service.name') services.add(value.stringValue ?? '');
      spans.push(...scopeSpans.flatMap((scope) => scope.spans));
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
  let endpoint = '';
  before(async () => {
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  });
  after(() => collector.close().closeAllConnections());

  it('lead from the edge through the next process and the parts of its work to a collector', async () => {
    const router = await createTracer({ service: 'router', endpoint, sampledPerMille: 1000 });
    const core = await createTracer({ service: 'core', endpoint, sampledPerMille: 1000 });
    const server = createHttpServer({
      logger: createLogger('test', 'silent'),
      verifyToken: () => Promise.reject(new Error('nobody asks')),
      tracer: core,
    });
    const config = { public: 'test' };
    server.get('/things/:id', { config }, () =>
      traced('transaction', async () => {
        throw new Error('broken');
      }),
    );
    const edge = router.begin('GET api');
    await server.inject({ url: '/things/of-somebody', headers: { [traceHeader]: edge.traceparent } });
    edge.end();
    await server.close();
    await Promise.all([router.stop(), core.stop()]);
    assert.deepEqual([...services].toSorted(), ['core', 'router']);
    const named = (name: string) => spans.find((span) => span.name === name);
    const [first, second, third] = ['GET api', 'GET /things/:id', 'transaction'].map(named);
    assert.ok(first && second && third, JSON.stringify(spans));
    assert.equal(second.traceId, first.traceId);
    assert.equal(second.parentSpanId, first.spanId);
    assert.equal(third.parentSpanId, second.spanId);
    assert.deepEqual([third.status?.code, second.status?.code], [2, 2], 'both have failed');
    assert.doesNotMatch(JSON.stringify(spans), /of-somebody/);
  });

  it('are not joined by what is no trace', async () => {
    const tracer = await createTracer({ service: 'core', endpoint, sampledPerMille: 1000 });
    const zeros = `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`;
    for (const nonsense of ['', 'x', zeros, `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01\n`, 'ff-1-2-3']) {
      const span = tracer.begin('x', nonsense);
      assert.match(span.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      assert.ok(!span.traceparent.includes('aaaa'), nonsense);
    }
    await tracer.stop();
  });

  it('and metrics cost a process that has none not even their libraries', async () => {
    const importing = ['../http/server.ts', './tracer.ts', './meter.ts']
      .map((file) => JSON.stringify(fileURLToPath(new URL(file, import.meta.url))))
      .map((file) => `await import(${file})`);
    const loadedBy = async (...more: string[]): Promise<string[]> => {
      const script = `
        import { registerHooks } from 'node:module';
        const loaded = [];
        registerHooks({ resolve: (name, context, next) => { const found = next(name, context); loaded.push(found.url); return found; } });
        ${importing.join(';')};
        ${more.join(';')};
        console.log(JSON.stringify(loaded.filter((url) => /prom-client|opentelemetry/.test(url))));`;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
      return JSON.parse(stdout) as string[];
    };
    assert.deepEqual(await loadedBy(), []);
    assert.ok(
      (await loadedBy(`await (${importing[2]}).createMeter('x')`)).length > 0,
      'it is seen when it is so',
    );
  });
});
