import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createOutbound, mayDial, type Outbound } from './outbound.ts';
import { startTestOAuth } from './testing.ts';

describe('where Haic dials for people', () => {
  const never = [
    ...['169.254.169.254', '169.254.170.2', 'fe80::1', 'fd00:ec2::254', '100.100.100.200', '192.0.0.192'],
    ...['0.0.0.0', '::', '224.0.0.1', 'ff02::1', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe'],
  ];
  for (const address of never)
    it(`is never ${address}, whoever names it`, () => {
      assert.deepEqual([mayDial(address, true), mayDial(address, false)], [false, false]);
    });
  const inside = [
    ...['127.0.0.1', '127.9.9.9', '::1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...[
      '100.64.0.1',
      'fc00::1',
      'fd12:3456::1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
    ],
  ];
  for (const address of inside)
    it(`is ${address} only where an administrator named it`, () => {
      assert.deepEqual([mayDial(address, true), mayDial(address, false)], [true, false]);
    });
  it('is any public address', () => {
    for (const address of ['1.1.1.1', '172.32.0.1', '192.169.0.1', '2606:4700::1111', '100.128.0.1'])
      assert.ok(mayDial(address, false), address);
  });

  describe('with what comes back', () => {
    let server: Server;
    let outbound: Outbound;
    let host: string;
    let handle: (request: IncomingMessage, response: ServerResponse) => void;
    const seen: string[] = [];
    before(async () => {
      server = createServer((request, response) => {
        seen.push(request.url ?? '');
        handle(request, response);
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      outbound = createOutbound();
    });
    after(async () => {
      await outbound?.close();
      server?.closeAllConnections();
      server?.close();
    });
    const named = () => new Set([host]);

    it('an answer is read', async () => {
      handle = (_request, response) => response.end('{"a":1}');
      assert.deepEqual(await (await outbound.fetch(`http://${host}/`, {}, named())).json(), { a: 1 });
    });

    it('a redirect is an answer and not followed', async () => {
      handle = (_request, response) => response.writeHead(302, { location: `http://${host}/followed` }).end();
      const answer = await outbound.fetch(`http://${host}/first`, {}, named());
      assert.equal(answer.status, 302);
      assert.ok(!seen.includes('/followed'));
    });

    it('an answer without end is cut off', async () => {
      handle = (_request, response) => {
        const chunk = Buffer.alloc(64 * 1024);
        const write = () => {
          while (response.write(chunk));
        };
        response.on('drain', write);
        response.on('error', () => {});
        write();
      };
      await assert.rejects(outbound.fetch(`http://${host}/`, {}, named()), /more than 1048576 bytes/);
    });

    it('a deadline of the caller ends it', async () => {
      handle = () => {};
      const signal = AbortSignal.timeout(100);
      await assert.rejects(outbound.fetch(`http://${host}/`, { signal }, named()), { name: 'TimeoutError' });
    });

    it('nothing is sent to hosts that nobody named and that are inside, in any spelling', async () => {
      handle = (_request, response) => response.end('{}');
      const { length } = seen;
      const port = host.split(':')[1];
      for (const at of [
        '127.0.0.1',
        'localhost',
        '[::1]',
        '[::ffff:127.0.0.1]',
        '0x7f000001',
        '2130706433',
        '127.1',
        '017700000001',
      ])
        for (const scheme of ['http', 'https'])
          await assert.rejects(outbound.fetch(`${scheme}://${at}:${port}/`, {}, new Set()), at);
      assert.equal(seen.length, length);
    });

    it('not even what an administrator names leads to the credentials of a machine in a cloud', async () => {
      for (const at of [
        '169.254.169.254',
        '[fd00:ec2::254]',
        '0xa9fea9fe',
        '2852039166',
        '[::ffff:169.254.169.254]',
      ])
        await assert.rejects(
          outbound.fetch(`https://${at}/latest/meta-data/`, {}, new Set([new URL(`https://${at}`).host])),
          { code: 'provider_address_refused' },
          at,
        );
    });
  });
});

describe('a provider that leads Haic elsewhere', () => {
  it('has nothing sent there, and the login says why', async () => {
    const world = await startTestOAuth();
    const reached: string[] = [];
    const inside = createServer((request, response) => {
      reached.push(request.url ?? '');
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => inside.once('listening', resolve));
    const { port } = inside.address() as AddressInfo;
    try {
      for (const endpoint of [
        `http://127.0.0.1:${port}/token`,
        `http://localhost:${port}/token`,
        'http://169.254.169.254/latest/meta-data/iam',
      ]) {
        await world.makeClient('corp');
        world.corp.tamper = (path, json) => {
          if (path.includes('openid-configuration')) json.token_endpoint = endpoint;
        };
        const { loginUri } = await world.makeSource('ada', 'corp', '');
        const page = await world.browser('ada').logIn(loginUri);
        assert.equal(page.status, 502, page.text);
        assert.match(page.text, /The provider leads to .*, where Haic sends nothing/);
        await world.call('admin', 'DELETE', 'oauthClients%2Fcorp');
      }
      assert.deepEqual(reached, []);
    } finally {
      inside.close();
      await world.stop();
    }
  });
});
