import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { createServer, type Server } from 'node:tls';
import { deadline, until } from '@haic/kit/deadline.ts';
import { sampleBundle } from '@haic/launcher/testing/harness.ts';
import { network } from '@haic/test-cluster/layout.ts';
import type { Page } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { type Keycloak, startKeycloak } from '../support/keycloak.ts';
import type { Certificate } from './certificates.ts';
import { type Before, type HaicInCluster, startHaicInCluster } from './world.ts';

const skip =
  process.env.HAIC_TEST_SIZE === 'full' ? false : 'a Keycloak and an installation for it: --size full';
/** One name that browsers and pods reach: by the node, where it stands beside the ingress. */
const address = { host: 'keycloak.haic.test', port: 8443 };
const password = 'the-password-of-ada';

describe('Haic as pods behind a Keycloak, with an authority of its own', { skip }, () => {
  let keycloak: Keycloak;
  let front: Server;
  let world: HaicInCluster;
  before(async () => {
    keycloak = await startKeycloak({ address: `https://${address.host}:${address.port}` });
    const secrets = Object.fromEntries(
      ['portal', 'router', 'core', 'drive', 'operator'].map((client) => [
        `${client}-client-secret`,
        randomBytes(24).toString('hex'),
      ]),
    );
    world = await startHaicInCluster({}, async (authority): Promise<Before> => {
      front = await endTls(await authority.issue('keycloak', [`DNS:${address.host}`]), keycloak.port);
      const values = {
        'issuer.url': keycloak.issuer('haic'),
        'networkPolicies.issuer': [{ ipBlock: { cidr: `${network.node}/32` } }],
      };
      return { values, secrets };
    });
    await keycloak.importRealm(await realmFor(world.url, secrets));
    await keycloak.addUser('haic', { username: 'ada', password, roles: ['user'] });
  });
  after(async () => {
    await world?.stop();
    await keycloak?.stop();
    front?.close();
  });

  it('signs people in there, and its apps ask for them by the same name', async () => {
    const { hostname } = new URL(world.url);
    const browser = await openBrowser({
      args: [`--host-resolver-rules=MAP ${hostname} ${network.node}, MAP *.${hostname} ${network.node}`],
      ignoreHTTPSErrors: true,
    });
    try {
      const page = await browser.page();
      await page.goto(`${world.url}/login?next=/`);
      assert.equal(new URL(page.url()).host, `${address.host}:${address.port}`);
      await page.locator('#username').fill('ada');
      await page.locator('#password').fill(password);
      await page.locator('#kc-login').click();
      await page.waitForURL(`${world.url}/**`);
      const id = await runWhoAmI(page);
      await page.goto(`https://${id}.${hostname}/`);
      await page.getByText('ada', { exact: true }).first().waitFor({ timeout: 60_000 });
      await page.getByRole('button', { name: 'Call the platform as me' }).click();
      await page.getByText('The platform answered').waitFor();
    } finally {
      await browser.close();
    }
  });
});

/** As the portal does, in its page. */
async function runWhoAmI(page: Page): Promise<string> {
  const ask = (method: string, path: string, body?: string, type = 'application/json') =>
    page.evaluate(
      async (asked) => {
        const bytes =
          asked.body === undefined ? null : Uint8Array.from(atob(asked.body), (one) => one.charCodeAt(0));
        const { csrfToken } = (await (await fetch('/session')).json()) as { csrfToken: string };
        const headers = {
          'x-haic-csrf': csrfToken,
          ...(bytes === null ? {} : { 'content-type': asked.type }),
        };
        const answer = await fetch(asked.path, { method: asked.method, headers, body: bytes });
        return { status: answer.status, body: (await answer.json()) as { id: string; status: string } };
      },
      { method, path, body, type },
    );
  const bundle = (await sampleBundle('who-am-i')).toString('base64');
  const app = await ask('POST', '/api/v1/apps?visibility=PRIVATE', bundle, 'application/octet-stream');
  assert.equal(app.status, 201, JSON.stringify(app.body));
  const settings = Buffer.from('{"visibility":"PRIVATE"}').toString('base64');
  const instance = await ask('POST', `/api/v1/apps/${app.body.id}/instances`, settings);
  assert.equal(instance.status, 201, JSON.stringify(instance.body));
  const { id } = instance.body;
  const deployed = async () => {
    const { status } = (await ask('GET', `/api/v1/instances/${id}`)).body;
    return status === 'DEPLOYED' ? true : undefined;
  };
  await until(deployed, { everyMs: 500, signal: deadline(240_000) });
  return id;
}

/** docs/keycloak.md: the realm, with this installation's address and the secrets of its clients. */
async function realmFor(url: string, secrets: Readonly<Record<string, string>>): Promise<unknown> {
  const text = await readFile(new URL('../../deploy/keycloak/haic-realm.json', import.meta.url), 'utf8');
  const filled = text.replace(/\$\{HAIC_(\w+)\}/g, (_, name: string) =>
    name === 'PUBLIC_URL' ? url : (secrets[name.toLowerCase().replaceAll('_', '-')] ?? ''),
  );
  return JSON.parse(filled);
}

/** What ends TLS in front of a Keycloak. */
async function endTls({ certFile, keyFile }: Certificate, port: number): Promise<Server> {
  const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
  const server = createServer({ cert, key }, (outside) => {
    const inside = connect({ host: '127.0.0.1', port });
    outside.on('error', () => inside.destroy());
    inside.on('error', () => outside.destroy());
    outside.pipe(inside).pipe(outside);
  });
  server.listen(address.port, network.node);
  await once(server, 'listening');
  return server;
}
