import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { type Ask, type Keys, queryText, signerOf, startTestDrive, type TestDrive } from '../testing.ts';

const sha256 = (data: string) => createHash('sha256').update(data).digest('hex');

describe('a signed request', () => {
  let haic: TestDrive;
  let ada: Keys;
  const path = '/_my/signed.txt';
  before(async () => {
    haic = await startTestDrive(createFilesystemBlobStore);
    ada = await haic.keysOf('ada');
    assert.equal((await haic.ask(ada, { method: 'PUT', path, body: 'content' })).status, 200);
  });
  after(() => haic.stop());

  /** Signed at that time, then changed by `change`, then sent. */
  async function sendSigned(
    request: Ask & { at?: number; keys?: Keys },
    change: (headers: Record<string, string>) => void = () => {},
  ) {
    const { method = 'GET', query = {}, headers = {}, body, keys = ada } = request;
    const hash = sha256(typeof body === 'string' ? body : '');
    const signed = await signerOf(keys).sign(
      {
        method,
        protocol: 'http:',
        hostname: '127.0.0.1',
        port: haic.port,
        path: request.path,
        query: { ...query },
        headers: { 'x-amz-content-sha256': hash, ...headers, host: `127.0.0.1:${haic.port}` },
      },
      { signingDate: new Date(request.at ?? Date.now()) },
    );
    const sent = { ...signed.headers } as Record<string, string>;
    change(sent);
    return haic.send({ ...request, headers: sent });
  }

  const set = (name: string, value: string) => (headers: Record<string, string>) => {
    headers[name] = value;
  };

  async function presign(request: Ask & { seconds?: number; at?: number; keys?: Keys }) {
    const signed = await signerOf(request.keys ?? ada).presign(
      {
        method: request.method ?? 'GET',
        protocol: 'http:',
        hostname: '127.0.0.1',
        port: haic.port,
        path: request.path,
        query: { ...request.query },
        headers: {
          'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
          ...request.headers,
          host: `127.0.0.1:${haic.port}`,
        },
      },
      { expiresIn: request.seconds ?? 60, signingDate: new Date(request.at ?? Date.now()) },
    );
    return signed.query as Record<string, string>;
  }

  it('is accepted in any region', async () => {
    assert.equal((await sendSigned({ path })).text, 'content');
  });

  it('is refused without a signature', async () => {
    const answer = await haic.send({ path });
    assert.deepEqual([answer.status, answer.code], [403, 'AccessDenied']);
  });

  it('is refused when anything that was signed is another', async () => {
    const wrong = async (
      request: Parameters<typeof sendSigned>[0],
      change?: Parameters<typeof sendSigned>[1],
    ) => (await sendSigned(request, change)).code;
    assert.equal(await wrong({ path }, set('host', 'localhost:1')), 'SignatureDoesNotMatch');
    assert.equal(
      await wrong({ path }, set('x-amz-content-sha256', sha256('other'))),
      'SignatureDoesNotMatch',
    );
    assert.equal(
      await wrong({ path, headers: { range: 'bytes=0-1' } }, set('range', 'bytes=0-2')),
      'SignatureDoesNotMatch',
    );
    assert.equal(
      await wrong({ path, keys: { ...ada, secretAccessKey: 'another' } }),
      'SignatureDoesNotMatch',
    );
    const signature = (h: Record<string, string>) => {
      const last = h.authorization?.at(-1) === '0' ? '1' : '0';
      h.authorization = `${h.authorization?.slice(0, -1)}${last}`;
    };
    assert.equal(await wrong({ path }, signature), 'SignatureDoesNotMatch');
  });

  it('is refused for another path, method or query than the one that was signed', async () => {
    const query = await presign({ path });
    assert.equal((await haic.send({ path, query })).text, 'content');
    assert.equal((await haic.send({ path: '/_my/other.txt', query })).code, 'SignatureDoesNotMatch');
    assert.equal((await haic.send({ path: '/default/signed.txt', query })).code, 'SignatureDoesNotMatch');
    assert.equal((await haic.send({ path, query, method: 'DELETE' })).code, 'SignatureDoesNotMatch');
    const more = { ...query, 'response-content-type': 'text/html' };
    assert.equal((await haic.send({ path, query: more })).code, 'SignatureDoesNotMatch');
    for (const name of ['X-Amz-Expires', 'X-Amz-Date', 'X-Amz-SignedHeaders', 'X-Amz-Credential']) {
      const { [name]: _gone, ...less } = query;
      const answer = await haic.send({ path, query: less });
      assert.ok([400, 403].includes(answer.status), `${name}: ${answer.status}`);
    }
  });

  it('is refused when a header that matters was added on the way', async () => {
    const answer = await sendSigned({ path }, set('x-amz-meta-added', 'x'));
    assert.deepEqual([answer.status, answer.code], [403, 'AccessDenied']);
  });

  it('is refused when the clock of its client is wrong by more than a quarter of an hour', async () => {
    const minutes = 60_000;
    for (const off of [-16, 16])
      assert.equal((await sendSigned({ path, at: Date.now() + off * minutes })).code, 'RequestTimeTooSkewed');
    for (const off of [-14, 14])
      assert.equal((await sendSigned({ path, at: Date.now() + off * minutes })).status, 200);
  });

  it('by address ends with what it says, and with the keys', async () => {
    const ago = (seconds: number) => Date.now() - seconds * 1000;
    assert.equal(
      (await haic.send({ path, query: await presign({ path, at: ago(61) }) })).code,
      'AccessDenied',
    );
    const long = await presign({ path, seconds: 604_800, at: ago(100) });
    assert.equal((await haic.send({ path, query: long })).status, 200);
    const early = await presign({ path, at: Date.now() + 16 * 60_000 });
    assert.equal((await haic.send({ path, query: early })).code, 'AccessDenied');
    const query = { ...(await presign({ path })), 'X-Amz-Expires': '604801' };
    assert.equal((await haic.send({ path, query })).code, 'AuthorizationQueryParametersError');
  });

  it('by address also puts, and nothing but what it was made for', async () => {
    const target = '/_my/by-address.txt';
    const query = await presign({ method: 'PUT', path: target });
    assert.equal((await haic.send({ method: 'PUT', path: target, query, body: 'put' })).status, 200);
    assert.equal((await haic.ask(ada, { path: target })).text, 'put');
    const unsigned = { 'x-amz-copy-source': '/_my/signed.txt' };
    const copy = await haic.send({ method: 'PUT', path: target, query, body: '', headers: unsigned });
    assert.equal(copy.code, 'AccessDenied');
  });

  it('by address that fixes the body or metadata puts just that', async () => {
    const target = '/_my/fixed.txt';
    const headers = { 'x-amz-content-sha256': sha256('fixed'), 'x-amz-meta-a': 'b' };
    const query = await presign({ method: 'PUT', path: target, headers });
    const other = await haic.send({ method: 'PUT', path: target, query, body: 'other' });
    assert.equal(other.code, 'XAmzContentSHA256Mismatch');
    assert.equal((await haic.send({ method: 'PUT', path: target, query, body: 'fixed' })).status, 200);
    assert.equal((await haic.ask(ada, { path: target })).headers['x-amz-meta-a'], 'b');
  });

  it('is not signed twice', async () => {
    const query = await presign({ path });
    const answer = await sendSigned({ path: `${path}?${queryText(query)}` });
    assert.equal(answer.code, 'InvalidArgument');
  });

  it('needs keys that were given out here, with their own session token', async () => {
    const bob = await haic.keysOf('bob');
    const withToken = (sessionToken: string) => sendSigned({ path, keys: { ...ada, sessionToken } });
    assert.equal((await withToken(bob.sessionToken)).code, 'InvalidToken');
    assert.equal((await withToken(`${ada.sessionToken.slice(0, -8)}AAAAAAA=`)).code, 'InvalidToken');
    assert.equal((await withToken(randomBytes(200).toString('base64'))).code, 'InvalidToken');
    const foreign = { ...ada, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' };
    assert.equal((await sendSigned({ path, keys: foreign })).code, 'InvalidAccessKeyId');
    const { sessionToken: _none, ...without } = ada;
    const bare = await sendSigned({ path, keys: without as Keys });
    assert.deepEqual([bare.status, bare.code], [403, 'InvalidAccessKeyId']);
  });

  it('has the same key whichever way its path is written', async () => {
    const key = "a b/ü'(x)*!~+&=%25";
    const encoded = key.split('/').map(encodeURIComponent).join('/');
    assert.equal((await haic.ask(ada, { method: 'PUT', path: `/_my/${encoded}`, body: 'odd' })).status, 200);
    const listed = await haic.ask(ada, { path: '/_my', query: { prefix: 'a b/', 'encoding-type': 'url' } });
    assert.match(listed.text, /<Key>a%20b\/%C3%BC%27%28x%29%2A%21~%2B%26%3D%2525<\/Key>/);
    assert.equal((await haic.ask(ada, { path: `/_my/${encoded}` })).text, 'odd');
  });
});
