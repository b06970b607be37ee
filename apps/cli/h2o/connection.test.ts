import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { HaicError } from '@haic/kit/errors.ts';
import { callJson } from '@haic/kit/http/client.ts';
import { CommandError } from '../terminal.ts';
import { openConnection, withAddress } from './connection.ts';
import { isNewer } from './newer-version.ts';

/** A server, and a proxy before it that notes which hosts it was asked for. */
async function startProxied() {
  const server = createServer((_request, response) => response.end('{"reached":true}'));
  const proxy = createServer();
  const hosts: string[] = [];
  for (const one of [server, proxy]) {
    one.listen(0, '127.0.0.1');
    await once(one, 'listening');
  }
  const portOf = (one: typeof server) => (one.address() as AddressInfo).port;
  proxy.on('connect', (request, socket) => {
    hosts.push(request.url ?? '');
    const upstream = connect(portOf(server), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const one of [socket, upstream]) one.on('error', () => undefined);
  });
  return {
    hosts,
    port: portOf(server),
    proxy: `http://127.0.0.1:${portOf(proxy)}`,
    [Symbol.dispose]: () => {
      for (const one of [server, proxy]) {
        one.close();
        one.closeAllConnections();
      }
    },
  };
}

test('other hosts are reached through the proxy, this machine and those of NO_PROXY are not', async () => {
  using network = await startProxied();
  const environment = { HTTP_PROXY: network.proxy, NO_PROXY: 'inside.test' };
  const fetch = openConnection(undefined, environment);
  assert.deepEqual(await callJson(fetch, 'http://haic.test/x'), { reached: true });
  assert.deepEqual(network.hosts, ['haic.test:80']);
  assert.deepEqual(await callJson(fetch, `http://localhost:${network.port}/x`), { reached: true });
  await assert.rejects(callJson(fetch, 'http://inside.test/x'), HaicError);
  assert.deepEqual(network.hosts, ['haic.test:80']);
});

test('who cannot be reached is named, with the reason', async () => {
  using network = await startProxied();
  const fetch = openConnection(undefined, {});
  const free = network.port;
  network[Symbol.dispose]();
  const address = `http://127.0.0.1:${free}`;
  const error = await callJson(fetch, `${address}/x`).catch((cause: unknown) => withAddress(cause, address));
  assert.ok(error instanceof CommandError);
  assert.match(error.message, new RegExp(`${address} cannot be reached \\(.*ECONNREFUSED.*config setup`));
  assert.throws(() => openConnection('/nowhere/ca.pem', {}), /--ca: \/nowhere\/ca\.pem cannot be read/);
});

test('a newer version is told from an older one by its numbers', () => {
  for (const [offered, own] of [
    ['0.1.1', '0.1.0'],
    ['0.10.0', '0.9.9'],
    ['1.0.0', '0.1.0'],
  ] as const) {
    assert.ok(isNewer(offered, own));
    assert.ok(!isNewer(own, offered));
  }
  assert.ok(!isNewer('0.1.0', '0.1.0'));
});
