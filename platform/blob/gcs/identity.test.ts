import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { rejectsWith } from '../contract-kit.ts';
import { createGcsBlobStore } from './store.ts';

const listen = async <T extends Server>(server: T): Promise<number> => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
};

/** What Google is asked for by a machine of another cloud: a token of its own is exchanged for one of Google's. No key is kept anywhere. */
describe('the identity that Google Cloud Storage is shown', () => {
  const signal = AbortSignal.timeout(60_000);
  let folder: string;
  let ports: { exchange: number; open: number; secure: number };
  const exchanged: URLSearchParams[] = [];
  const shown: (string | undefined)[] = [];
  const stops: (() => unknown)[] = [];
  const list = async (endpoint: string) =>
    (await createGcsBlobStore({ bucket: 'bucket', prefix: '', endpoint })).list({ prefix: '', signal });

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'haic-gcs-identity-'));
    const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
    const files = ['-nodes', '-newkey', 'rsa:2048', '-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', ...subject, ...files], { stdio: 'ignore' });
    const bucket = (request: IncomingMessage, response: { end(text: string): unknown }) => {
      shown.push(request.headers.authorization);
      response.end('{}');
    };
    const exchange = createServer(async (request, response) => {
      exchanged.push(new URLSearchParams(await text(request)));
      const token = { access_token: 'of-google', issued_token_type: 'access_token', token_type: 'Bearer' };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...token, expires_in: 3600 }));
    });
    const tls = { key: await readFile(key), cert: await readFile(cert) };
    const servers = [exchange, createServer(bucket), https.createServer(tls, bucket)] as const;
    const [first, second, third] = await Promise.all(servers.map(listen));
    ports = { exchange: first ?? 0, open: second ?? 0, secure: third ?? 0 };
    for (const server of servers)
      stops.push(
        () => server.closeAllConnections(),
        () => server.close(),
      );
    const { ca } = https.globalAgent.options;
    https.globalAgent.options.ca = tls.cert;
    stops.push(() => Object.assign(https.globalAgent.options, { ca }));
    await writeFile(path.join(folder, 'token'), 'of-the-cluster');
    process.env.GOOGLE_APPLICATION_CREDENTIALS = path.join(folder, 'identity.json');
    stops.push(() => delete process.env.GOOGLE_APPLICATION_CREDENTIALS);
    await writeFile(
      path.join(folder, 'identity.json'),
      JSON.stringify({
        type: 'external_account',
        audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: `http://127.0.0.1:${ports.exchange}/token`,
        credential_source: { file: path.join(folder, 'token') },
      }),
    );
  });
  after(async () => {
    for (const stop of stops.reverse()) stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('is got for what the machine is to its cluster, and may do no more than objects', async () => {
    await list(`https://localhost:${ports.secure}`);
    assert.deepEqual(shown.splice(0), ['Bearer of-google']);
    assert.equal(exchanged[0]?.get('subject_token'), 'of-the-cluster');
    assert.equal(exchanged[0]?.get('scope'), 'https://www.googleapis.com/auth/devstorage.read_write');
  });

  it('is shown to nobody without TLS', async () => {
    await list(`http://127.0.0.1:${ports.open}`);
    assert.deepEqual(shown.splice(0), [undefined]);
  });

  it('is missed plainly when there is none', async () => {
    await rm(path.join(folder, 'token'));
    await rejectsWith(list(`https://localhost:${ports.secure}`), 'storage_unavailable', 503);
    assert.deepEqual(shown.splice(0), []);
  });
});
