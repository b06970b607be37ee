import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, it } from 'node:test';
import type { Principal } from '../../auth/principal.ts';
import { conflict } from '../../errors.ts';
import { createLogger } from '../../logging.ts';
import { createHttpServer } from '../server.ts';
import { bodyWas, idOfNew } from './hook.ts';
import { createMemoryIdempotencyStore } from './memory.ts';
import type { IdempotencyStore } from './port.ts';

const logger = createLogger('test', 'silent');
const config = { deed: 'import apps', idempotent: { secrets: ['password'] } } as const;

function serverWith(idempotency: IdempotencyStore) {
  const server = createHttpServer({
    logger,
    idempotency,
    verifyToken: async (token) =>
      ({ subject: token, party: 'haic-portal', partyKind: 'portal' }) as Principal,
  });
  const made: string[] = [];
  const gate = Promise.withResolvers<void>();
  server.post('/things', { config }, async (request, reply) => {
    made.push(idOfNew(request));
    return reply
      .code(201)
      .header('location', `/things/${made.length}`)
      .send({ count: made.length, password: 'secret' });
  });
  server.post('/refused', { config }, async () => {
    made.push('');
    throw conflict('taken', 'Not now.');
  });
  server.post('/slow', { config }, async () => {
    await gate.promise;
    return { fine: true };
  });
  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/octet-stream', (_request, body, done) => done(null, body));
    scope.post('/files', { config }, async (request) => {
      const content = await buffer(request.body as Readable);
      made.push('file');
      bodyWas(request, createHash('sha256').update(content).digest('hex'));
      return { size: content.length };
    });
  });
  const send = (url: string, key: string | undefined, payload?: object | Readable, person = 'ada') =>
    server.inject({
      method: 'POST',
      url,
      headers: {
        authorization: `Bearer ${person}`,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(payload instanceof Readable ? { 'content-type': 'application/octet-stream' } : {}),
      },
      ...(payload === undefined ? {} : { payload }),
    });
  return { server, made, gate, send };
}

describe('a request with an Idempotency-Key', () => {
  let store: IdempotencyStore;
  let at: ReturnType<typeof serverWith>;
  beforeEach(() => {
    store = createMemoryIdempotencyStore();
    at = serverWith(store);
  });

  it('is answered again as the first time, without its passwords, and does nothing twice', async () => {
    const first = await at.send('/things', 'k1', { name: 'a' });
    const again = await at.send('/things', '"k1"', { name: 'a' });
    assert.deepEqual([first.statusCode, first.json()], [201, { count: 1, password: 'secret' }]);
    assert.equal(first.headers['idempotent-replayed'], undefined);
    assert.deepEqual([again.statusCode, again.json()], [201, { count: 1 }]);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    assert.equal(again.headers.location, '/things/1');
    assert.match(String(again.headers['content-type']), /^application\/json/);
    assert.equal(at.made.length, 1);
  });

  it('is another for another person, and without a key always', async () => {
    await at.send('/things', 'k1', {});
    assert.equal((await at.send('/things', 'k1', {}, 'ben')).json().count, 2);
    assert.equal((await at.send('/things', undefined, {})).json().count, 3);
    assert.equal((await at.send('/things', undefined, {})).json().count, 4);
  });

  it('is refused when the key came with other content or at another address', async () => {
    await at.send('/things', 'k1', { name: 'a' });
    for (const [url, body] of [
      ['/things', { name: 'b' }],
      ['/things?x=1', { name: 'a' }],
      ['/refused', { name: 'a' }],
    ] as const) {
      const answer = await at.send(url, 'k1', body);
      assert.deepEqual([answer.statusCode, answer.json().code], [422, 'idempotency_key_reused'], url);
    }
    assert.equal(at.made.length, 1);
  });

  it('is told to wait while the first is worked on', async () => {
    const first = at.send('/slow', 'k1');
    const claimed = createHash('sha256')
      .update(JSON.stringify(['ada', 'haic-portal', 'k1']))
      .digest('hex');
    // Claiming is asynchronous: ask until the first one has it. What this asks for is given back.
    for (;;) {
      const probe = await store.claim(claimed);
      if (probe.kind === 'running') break;
      assert.equal(probe.kind, 'claimed');
      if (probe.kind === 'claimed') await store.release(claimed, probe.claim);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const meanwhile = await at.send('/slow', 'k1');
    assert.deepEqual([meanwhile.statusCode, meanwhile.json().code], [409, 'idempotency_key_in_use']);
    assert.ok(Number(meanwhile.headers['retry-after']) >= 1);
    at.gate.resolve();
    assert.equal((await first).statusCode, 200);
    assert.equal((await at.send('/slow', 'k1')).headers['idempotent-replayed'], 'true');
  });

  it('is tried anew after a refusal, because nothing was made', async () => {
    assert.equal((await at.send('/refused', 'k1')).statusCode, 409);
    assert.equal((await at.send('/refused', 'k1')).json().code, 'taken');
    assert.equal(at.made.length, 2);
  });

  it('is known by the hash of a streamed body', async () => {
    const file = () => Readable.from([Buffer.from('abc'), Buffer.from('def')]);
    assert.deepEqual((await at.send('/files', 'k1', file())).json(), { size: 6 });
    const again = await at.send('/files', 'k1', file());
    assert.deepEqual([again.json(), again.headers['idempotent-replayed']], [{ size: 6 }, 'true']);
    const other = await at.send('/files', 'k1', Readable.from([Buffer.from('abcdeF')]));
    assert.equal(other.json().code, 'idempotency_key_reused');
    assert.deepEqual(at.made, ['file']);
  });

  it('survives the death of the process that kept the answer, and of one in the middle of its work', async () => {
    let now = Date.now();
    const lasting = createMemoryIdempotencyStore(undefined, () => now);
    const first = serverWith(lasting);
    await first.send('/things', 'k1', {});
    void first.send('/slow', 'k2');
    const key = createHash('sha256')
      .update(JSON.stringify(['ada', 'haic-portal', 'k3']))
      .digest('hex');
    const dead = await lasting.claim(key);
    await first.server.close();
    const second = serverWith(lasting);
    assert.equal((await second.send('/things', 'k1', {})).headers['idempotent-replayed'], 'true');
    assert.equal((await second.send('/things', 'k3', {})).statusCode, 409);
    now += 31_000;
    assert.equal((await second.send('/things', 'k3', {})).statusCode, 201);
    assert.ok(dead.kind === 'claimed');
    assert.deepEqual(second.made, [dead.makes], 'it makes the very thing that the dead one was making');
  });

  it('needs a key that is one word', async () => {
    for (const key of ['', 'two words', 'ä', 'x'.repeat(256)]) {
      const answer = await at.send('/things', key, {});
      assert.deepEqual([answer.statusCode, answer.json().code], [400, 'invalid_idempotency_key'], key);
    }
  });
});
