import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { isLoopback } from '@haic/kit/http/listening.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { createListener } from './listener.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'haic-listener-'));
after(() => rmSync(directory, { recursive: true }));

const base = {
  logger: createLogger('test', 'silent'),
  onRequest: (_request: unknown, response: { end(text: string): void }) => response.end('hello'),
  onUpgrade: () => {},
};

test('a plain listener beyond loopback is refused, unless TLS ends in front of it', () => {
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'haic.example.org'])
    assert.throws(() => createListener({ ...base, listen: [{ host, port: 0 }] }), /without TLS/, host);
  createListener({ ...base, listen: [{ host: '0.0.0.0', port: 0 }], tlsTerminatedUpstream: true });
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1']) assert.ok(isLoopback(host), host);
  for (const host of ['127.0.0.1.evil.test', '128.0.0.1', 'localhost.evil.test'])
    assert.ok(!isLoopback(host), host);
});

function certify(name: string): { certificateFile: string; keyFile: string } {
  const certificateFile = path.join(directory, 'cert.pem');
  const keyFile = path.join(directory, 'key.pem');
  const subject = ['-subj', `/CN=${name}`, '-days', '2', '-nodes', '-newkey', 'rsa:2048'];
  const files = ['-keyout', keyFile, '-out', certificateFile];
  execFileSync('openssl', ['req', '-x509', ...subject, ...files], { stdio: 'ignore' });
  return { certificateFile, keyFile };
}

async function peerOf(port: number, maxVersion: 'TLSv1.1' | 'TLSv1.3' = 'TLSv1.3'): Promise<string> {
  const ciphers =
    maxVersion === 'TLSv1.1' ? { ciphers: 'DEFAULT@SECLEVEL=0', minVersion: 'TLSv1' as const } : {};
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion, ...ciphers });
  await once(socket, 'secureConnect');
  const name = String(socket.getPeerCertificate().subject.CN);
  socket.destroy();
  return name;
}

test('TLS is 1.2 or newer, and a changed certificate is used without a restart', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const listener = createListener({
    ...base,
    listen: [{ host: '127.0.0.1', port: 0 }],
    tls: certify('first'),
  });
  const { port } = await listener.listen();
  assert.equal(await peerOf(port), 'first');
  await assert.rejects(peerOf(port, 'TLSv1.1'));
  certify('second');
  t.mock.timers.tick(10_000);
  assert.equal(await peerOf(port), 'second');
  await listener.close();
});

test('a request that cannot be read is answered with what is wrong with it', async () => {
  const listener = createListener({ ...base, listen: [{ host: '127.0.0.1', port: 0 }] });
  const { port } = await listener.listen();
  const said = async (...bytes: readonly string[]): Promise<string> => {
    const socket = connectPlain(port, '127.0.0.1');
    for (const each of bytes) socket.write(each);
    return text(socket);
  };
  const large = await said(`GET / HTTP/1.1\r\nHost: a\r\nCookie: ${'c'.repeat(40_000)}\r\n\r\n`);
  assert.match(large, /^HTTP\/1\.1 431 [\s\S]+\r\nconnection: close\r\n\r\n.+ 32 KiB .+cookies/);
  assert.match(await said('GET / HTTP/1.1\r\nHost : a\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]+not a request/);
  // The answer before was whole; what follows it has an answer of its own.
  const second = await said('GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\x00');
  assert.match(second, /^HTTP\/1\.1 200 [\s\S]+hello/);
  await listener.close();
});

test('an answer under way is not mixed with another when what follows cannot be read', async () => {
  const onRequest = (_request: unknown, response: ServerResponse) => {
    response.writeHead(200, { 'content-length': 10 });
    response.write('half');
  };
  const listener = createListener({ ...base, onRequest, listen: [{ host: '127.0.0.1', port: 0 }] });
  const { port } = await listener.listen();
  const socket = connectPlain(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.write('\x00\x00\r\n\r\n');
  const whole = String(first) + (await text(socket));
  assert.equal(whole.match(/HTTP\/1\.1/g)?.length, 1);
  assert.match(whole, /\r\n\r\nhalf$/);
  await listener.close();
});
