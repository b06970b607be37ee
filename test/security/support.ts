import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { makeZip } from '@haic/launcher/testing/zip.ts';
import { secretsOf } from '@haic/server/installation.ts';
import { Browser } from '@haic/services/app-store/router/testing.ts';
import { WebSocket } from 'ws';
import { importBundle, runApp, waitForStatus } from '../support/api.ts';
import type { Haic } from '../support/haic.ts';

const file = (name: string) => readFile(path.join(import.meta.dirname, 'probe', name), 'utf8');

/** The probe's bundle; an other `name` is an other app. */
export async function probeBundle(name = 'security-probe'): Promise<Buffer> {
  return makeZip([
    { name: 'app.toml', content: (await file('app.toml')).replace('security-probe', name) },
    { name: 'probe.py', content: await file('probe.py') },
  ]);
}

export interface Probe {
  readonly appId: string;
  readonly id: string;
  /** `http://<instance>.localhost:<port>` */
  readonly origin: string;
  readonly host: string;
}

/** Imports the probe and runs it until it answers. */
export async function startProbe(
  haic: Haic,
  token: string,
  name?: string,
  visibility = 'PRIVATE',
): Promise<Probe> {
  const bundle = path.join(haic.home, `${name ?? 'probe'}.wave`);
  await writeFile(bundle, await probeBundle(name));
  const app = await importBundle(haic, token, bundle, visibility);
  const { id } = await runApp(haic, token, app.id, visibility);
  await waitForStatus(haic, token, id, 'DEPLOYED');
  return probeOf(haic, id, app.id);
}

/** A probe that runs already. */
export function probeOf(haic: Haic, id: string, appId = ''): Probe {
  const host = `${id}.localhost:${haic.port}`;
  return { appId, id, host, origin: `http://${host}` };
}

/** What the code of a PRIVATE instance gets to act for its owner: the official way, from the inside. */
export async function appTokenOf(haic: Haic, owner: string, probe: Probe): Promise<string> {
  const said = await inside(
    haic,
    owner,
    probe,
    `
import json, os, urllib.parse, urllib.request
fields = dict(grant_type="refresh_token", client_id="haic-platform", refresh_token=os.environ["H2O_CLOUD_CLIENT_PLATFORM_TOKEN"])
answer = urllib.request.urlopen(os.environ["H2O_CLOUD_TOKEN_ENDPOINT_URL"], urllib.parse.urlencode(fields).encode())
print(json.load(answer)["access_token"])
`,
  );
  assert.match(said, /^eyJ/);
  return said.trim();
}

/** A grant at the issuer's token endpoint. */
export async function grantAt(
  haic: Haic,
  fields: Record<string, string>,
  authorization?: string,
): Promise<{ status: number; body: { access_token: string; error?: string; error_description?: string } }> {
  const response = await fetch(`${haic.url}/auth/realms/haic/protocol/openid-connect/token`, {
    method: 'POST',
    headers: authorization === undefined ? {} : { authorization },
    body: new URLSearchParams(fields),
  });
  const body = (await response.json()) as {
    access_token: string;
    error?: string;
    error_description?: string;
  };
  return { status: response.status, body };
}

/** The token of a service of the platform itself. */
export async function serviceTokenOf(haic: Haic, clientId: string): Promise<string> {
  const key = (await readFile(path.join(haic.home, 'secrets/master-key'), 'utf8')).trim();
  const secret = secretsOf(Buffer.from(key, 'hex')).clientSecret(clientId);
  const basic = `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`;
  return (await grantAt(haic, { grant_type: 'client_credentials' }, basic)).body.access_token;
}

/** Runs Python inside of the app, with all rights that the app has; what it printed. */
export async function inside(haic: Haic, token: string, probe: Probe, code: string): Promise<string> {
  const response = await fetch(`${haic.url}/instance/${probe.id}/python`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/x-python' },
    body: code,
  });
  const said = await response.text();
  if (response.status !== 200) throw new Error(`The probe answered ${response.status}: ${said}`);
  return said;
}

/** Signed in at the portal. */
export async function signedIn(haic: Haic, username: string, password: string): Promise<Browser> {
  const browser = new Browser(haic.port);
  await browser.signIn(`${haic.url}/login`, username, password);
  return browser;
}

export async function csrfTokenOf(haic: Haic, browser: Browser): Promise<string> {
  const { body } = await browser.fetch(`${haic.url}/session`);
  return (JSON.parse(body) as { csrfToken: string }).csrfToken;
}

/** What the app saw of a request. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
}
export const seenIn = (body: string): Seen => JSON.parse(body) as Seen;

/** Opens a WebSocket as a page of `origin` does: the status of a refusal, or the socket with the app's first message. */
export async function webSocket(
  haic: Haic,
  probe: Probe,
  options: { origin?: string; cookie?: string; headers?: Record<string, string> } = {},
): Promise<{ refused: number } | { refused: undefined; socket: WebSocket; seen: Seen }> {
  const socket = new WebSocket(`ws://127.0.0.1:${haic.port}/_s/`, {
    headers: {
      host: probe.host,
      ...(options.origin === undefined ? {} : { origin: options.origin }),
      ...(options.cookie === undefined ? {} : { cookie: options.cookie }),
      ...options.headers,
    },
  });
  socket.on('error', () => {});
  return new Promise((resolve) => {
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      resolve({ refused: response.statusCode ?? 0 });
    });
    socket.once('message', (data) => resolve({ refused: undefined, socket, seen: seenIn(String(data)) }));
    socket.once('error', () => resolve({ refused: 0 }));
  });
}

/** Bytes as they are, to the listener; everything that came back until it was closed, or until `enough`. */
export async function exchange(haic: Haic, bytes: string, enough?: RegExp): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: haic.port });
  await once(socket, 'connect');
  let said = '';
  const over = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      if (enough?.test(said) === true) resolve();
    });
    socket.once('close', () => resolve());
    socket.once('error', () => resolve());
  });
  socket.write(Buffer.from(bytes, 'latin1'));
  await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 5000).unref())]);
  socket.destroy();
  return said;
}

export const statuses = (said: string): number[] =>
  [...said.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));

/** Calls a route with a bearer token, or without any, and gives its status. */
export const statusOf = async (
  haic: Haic,
  token: string | undefined,
  method: string,
  route: string,
  body?: unknown,
): Promise<number> => {
  const response = await fetch(`${haic.url}${route}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined
        ? {}
        : { 'content-type': body instanceof Uint8Array ? 'application/octet-stream' : 'application/json' }),
    },
    ...(body === undefined
      ? {}
      : { body: body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body) }),
  });
  // A stream of events never ends by itself.
  await response.body?.cancel();
  return response.status;
};

export interface Operation {
  readonly method: string;
  /** `/api/v1/apps/{id}` */
  readonly path: string;
}

/** Every operation of the public API, as the server itself describes it. */
export async function operationsOf(haic: Haic): Promise<Operation[]> {
  const response = await fetch(`${haic.url}/api/v1/openapi.json`);
  const { paths } = (await response.json()) as { paths: Record<string, Record<string, unknown>> };
  return Object.entries(paths).flatMap(([address, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path: address })),
  );
}
