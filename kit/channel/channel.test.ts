import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as connectPlain } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { fetchOver } from '../http/over-socket.ts';
import { createLogger } from '../logging.ts';
import { forward } from '../proxy/forward.ts';
import { readHead } from '../proxy/head.ts';
import { serveHttp } from '../proxy/testing.ts';
import { createUpstream } from '../proxy/upstream.ts';
import { type ChannelKey, type ChannelListener, listenOnChannel, openChannel } from './channel.ts';

const router: ChannelKey = { identity: 'router', key: Buffer.alloc(32, 1) };
const host = '127.0.0.1';

describe('a channel between two processes', () => {
  const server = createServer((request, response) => {
    if (request.url === '/echo') {
      request.pipe(response);
      return;
    }
    request.resume();
    response.end(`${request.method} ${request.url}`);
  });
  let listener: ChannelListener;
  before(async () => {
    listener = await listenOnChannel({
      ...{ server, host, port: 0, keys: [router] },
      logger: createLogger('channel', 'silent'),
    });
  });
  after(() => listener.close());

  const refusal = async (channel: ChannelKey) => {
    const socket = openChannel({ host, port: listener.port, channel });
    const outcome = await Promise.race([
      once(socket, 'secureConnect').then(() => 'secure'),
      once(socket, 'error').then(([error]) => String(error.code)),
    ]).catch((error: unknown) => String((error as { code?: string }).code));
    socket.destroy();
    return outcome;
  };

  it('carries HTTP for who holds the key, by fetch and through the proxy', async () => {
    const target = { host, port: listener.port, channel: router };
    const fetch = fetchOver(target);
    assert.equal(await (await fetch('http://core/a')).text(), 'GET /a');
    assert.equal(await (await fetch('https://core/b', { method: 'POST', body: 'x' })).text(), 'POST /b');
    await fetch.close();

    const upstream = createUpstream(target);
    const { statusCode, body } = await upstream
      .upgrades()
      .request({ path: '/c', method: 'GET', headers: { host: 'core' } });
    assert.deepEqual([statusCode, await body.text()], [200, 'GET /c']);
    await upstream.destroy();
  });

  it('brings large bodies whole, in both directions and over kept connections', async () => {
    const upstream = createUpstream({ host, port: listener.port, channel: router });
    const edge = await serveHttp((request, response) => {
      const head = readHead(request);
      if ('refused' in head) throw new Error(head.refused);
      const failed = ({ cause }: { cause: Error }) => void response.destroy(cause);
      forward(request, response, { upstream, path: head.path, rules: {}, failed });
    });
    const body = randomBytes(3_000_000);
    for (let round = 0; round < 4; round += 1) {
      const [method, path] = ['PUT', `http://${host}:${edge.port}/echo`];
      const answer = await fetch(path, { method, body, signal: AbortSignal.timeout(30_000) });
      assert.ok(body.equals(Buffer.from(await answer.arrayBuffer())));
    }
    await edge.close();
    await upstream.destroy();
  });

  it('refuses another key, another name, and a server that does not hold it', async () => {
    assert.equal(await refusal(router), 'secure');
    assert.match(await refusal({ ...router, key: Buffer.alloc(32, 2) }), /^ERR_SSL/);
    assert.match(await refusal({ ...router, identity: 'drive' }), /^ERR_SSL/);
  });

  it('speaks neither plain HTTP nor TLS without the key', async () => {
    const tls = connectTls({ host, port: listener.port, rejectUnauthorized: false });
    const [refused] = (await once(tls, 'error')) as [NodeJS.ErrnoException];
    assert.match(String(refused.code), /^ERR_SSL/);
    const plain = connectPlain(listener.port, host);
    const heard: Buffer[] = [];
    plain.on('data', (chunk) => heard.push(chunk)).on('error', () => {});
    plain.write('GET /healthz HTTP/1.1\r\nHost: core\r\n\r\n');
    await once(plain, 'close');
    assert.ok(!Buffer.concat(heard).includes('HTTP'));
  });
});
