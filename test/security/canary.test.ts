import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connectPostgres } from '@haic/platform/database/postgres.ts';
import { installationAt } from '@haic/server/installation.ts';
import { readSettings } from '@haic/server/settings.ts';
import type { Browser } from '@haic/services/app-store/router/testing.ts';
import { withDatabase } from '../../apps/cli/installation/database.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { csrfTokenOf, signedIn } from './support.ts';

/** In everything secret that is sent, and nowhere else: one search finds whichever of it leaked. */
const mark = randomBytes(8).toString('hex').slice(0, 11);
let sent = 0;
const canary = (): string => {
  sent += 1;
  return `canary-${mark}${randomBytes(8).toString('hex')}`;
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Taker {
  readonly method: string;
  /** As the description of the API has it, or the protobuf method's own address. */
  readonly route: string;
  /** The names in the route. */
  readonly at?: string;
  /** What it takes, with a secret in it; `query` where something is named there. */
  body(secret: string): Record<string, unknown>;
}

const store = '/secure-store/v1';
/** Every route and method that takes something secret: it is tried as it should be, and with every mistake that we could think of. */
const takers: readonly Taker[] = [
  {
    ...{ method: 'POST', route: '/api/v1/people' },
    body: (password) => ({ username: `p${sent}`, roles: ['user'], password }),
  },
  {
    ...{ method: 'POST', route: '/api/v1/people/{username}/password', at: '/api/v1/people/ada/password' },
    body: (password) => ({ password }),
  },
  {
    ...{ method: 'POST', route: '/api/v1/secrets' },
    body: (secret) => ({ name: `s${sent}`, values: { k: secret, file: { base64: base64(secret) } } }),
  },
  {
    ...{ method: 'PUT', route: '/api/v1/secrets/{name}', at: '/api/v1/secrets/kept' },
    body: (secret) => ({ values: { k: secret } }),
  },
  {
    ...{ method: 'POST', route: `${store}/{parent=workspaces/*/secrets/*}/versions` },
    at: `${store}/workspaces/default/secrets/kept/versions`,
    body: (secret) => ({ value: base64(secret) }),
  },
  {
    ...{ method: 'POST', route: `${store}/oauthClients`, at: `${store}/oauthClients` },
    body: (clientSecret) => ({ issuer: 'https://idp.example', clientId: 'haic', clientSecret }),
  },
  {
    ...{ method: 'POST', route: '/api/v1/oauth-clients' },
    body: (clientSecret) => ({ issuer: 'https://idp.example', clientId: 'haic', clientSecret }),
  },
  {
    ...{ method: 'PUT', route: '/api/v1/oauth-clients/{client}/secret' },
    at: '/api/v1/oauth-clients/corp/secret',
    body: (clientSecret) => ({ clientSecret }),
  },
  {
    ...{ method: 'PATCH', route: `${store}/{oauth_client.name=oauthClients/*}` },
    at: `${store}/oauthClients/corp?updateMask=*`,
    body: (clientSecret) => ({ displayName: 'Corp', clientSecret }),
  },
];

const isSecretField = /^(.*password|.*secret|values?|token)$/i;

describe('21 what is secret is shown nowhere: trail, logs, listings, errors, files', () => {
  let haic: Haic;
  let admin: string;
  let portal: Browser;
  const answers: string[] = [];
  before(async () => {
    haic = await startHaic();
    await haic.addUser('ada');
    admin = await haic.accessToken('admin');
    portal = await signedIn(haic, 'admin', haic.admin.password);
    const csrf = await csrfTokenOf(haic, portal);
    const need = async (method: string, at: string, body: unknown, status: number) => {
      const answer = await portal.fetch(`${haic.url}${at}`, {
        method,
        headers: { 'content-type': 'application/json', 'x-haic-csrf': csrf, origin: haic.url },
        body: JSON.stringify(body),
      });
      assert.equal(answer.status, status, answer.body);
    };
    await need('POST', '/api/v1/secrets', { name: 'kept', values: { k: 'v' } }, 201);
    const client = { issuer: 'https://idp.example', clientId: 'marker-of-the-client' };
    await need('POST', '/api/services/secure-store/v1/oauthClients?oauthClientId=corp', client, 200);
  });
  after(() => haic?.stop());

  it('the table has every route and method that takes something secret', async () => {
    const described = await (await fetch(`${haic.url}/api/v1/openapi.json`)).text();
    const { paths, components } = JSON.parse(described) as {
      paths: Record<string, Record<string, { requestBody?: unknown }>>;
      components: { schemas: Record<string, unknown> };
    };
    const routes = Object.entries(paths).flatMap(([route, methods]) =>
      Object.entries(methods)
        .filter(([, { requestBody }]) =>
          namesIn(requestBody, components.schemas).some((name) => isSecretField.test(name)),
        )
        .map(([method]) => `${method.toUpperCase()} ${route}`),
    );
    const listed = takers.map(({ method, route }) => `${method} ${route}`);
    assert.ok(routes.length >= 2, String(routes));
    for (const route of [...routes, ...(await methodsThatTakeSecrets())])
      assert.ok(listed.includes(route), `${route} takes something secret: add it to this table`);
  });

  it('each of them is tried, rightly and with every mistake, by the portal, by a script and by nobody', async () => {
    const csrf = await csrfTokenOf(haic, portal);
    let good = 0;
    for (const { method, route, at = route, body } of takers) {
      const right = () => JSON.stringify(body(canary()));
      const bodies = [
        right,
        () => right().slice(0, -1),
        () => `${right()}}`,
        () => right().replace(/"(canary-[^"]*)"/, '["$1"]'),
        () => right().replace(/^\{/, `{"unknown":"${canary()}",`),
        () => right().replace(/"canary-/, '"\\u0000canary-'),
        () => JSON.stringify([body(canary())]),
      ];
      for (const make of bodies) {
        const door = at.replace(/^\/secure-store/, '/api/services/secure-store');
        const byPortal = await portal.fetch(`${haic.url}${door}`, {
          method,
          headers: { 'content-type': 'application/json', 'x-haic-csrf': csrf, origin: haic.url },
          body: make(),
        });
        if (byPortal.status < 300) good += 1;
        answers.push(byPortal.body);
        for (const token of [admin, undefined]) {
          const response = await fetch(`${haic.url}${at}`, {
            method,
            headers: {
              'content-type': 'application/json',
              ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            },
            body: make(),
          });
          answers.push(await response.text());
        }
      }
    }
    assert.ok(good >= takers.length, `only ${good} were taken`);
    // Signing in, and clients that say who they are, are takers, too.
    const issuer = `${haic.url}/auth/realms/haic/protocol/openid-connect`;
    for (const grant of [
      { grant_type: 'refresh_token', client_id: 'haic-platform', refresh_token: canary() },
      { grant_type: 'client_credentials', client_id: 'haic-sa-none', client_secret: canary() },
      { grant_type: 'authorization_code', client_id: 'haic-portal', code: canary(), code_verifier: canary() },
    ]) {
      const response = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(grant) });
      assert.ok(response.status >= 400);
      answers.push(await response.text());
    }
    await assert.rejects(signedIn(haic, 'ada', canary()));
    const bearer = await fetch(`${haic.url}/api/v1/me`, { headers: { authorization: `Bearer ${canary()}` } });
    assert.equal(bearer.status, 401);
    answers.push(await bearer.text());
  });

  it('no answer, listing or export of the trail has any of it', async () => {
    for (const at of [
      ...['/api/v1/secrets', '/api/v1/secrets/kept', '/api/v1/people', '/api/v1/people/ada'],
      ...['/api/v1/oauth-clients', '/api/v1/oauth-clients/corp', '/api/v1/connected-accounts'],
      ...['/api/v1/service-accounts', `${store}/oauthClients`, `${store}/oauthClients/corp`],
      ...[`${store}/workspaces/default/secrets`, `${store}/workspaces/default/secrets/kept/versions`],
    ]) {
      const response = await fetch(`${haic.url}${at}`, { headers: { authorization: `Bearer ${admin}` } });
      assert.equal(response.status, 200, at);
      answers.push(await response.text());
    }
    answers.push(await haic.run(['audit', 'export']), await haic.run(['audit', 'export', '--format', 'csv']));
    answers.push(await haic.run(['logs']), await haic.run(['status', '--json']));
    assert.match(answers.join('\n'), /securestore\/versions\/CREATE/, 'the trail heard of it');
    assert.deepEqual(
      answers.filter((answer) => shows(Buffer.from(answer))),
      [],
    );
  });

  it('neither has any file of the installation: logs, the database and its log of changes, blobs', async () => {
    await withDatabase(
      installationAt(haic.home, ''),
      readSettings({ ...process.env, HAIC_HOME: haic.home }),
      async (url) => {
        const { sql, close } = connectPostgres({ url, applicationName: 'test', maxConnections: 1 });
        await sql`checkpoint`.finally(close);
      },
    );
    const everything = await readdir(haic.home, { recursive: true, withFileTypes: true });
    let marked = 0;
    for (const file of everything.filter((one) => one.isFile())) {
      const at = path.join(file.parentPath, file.name);
      const content = await readFile(at).catch(() => Buffer.alloc(0));
      assert.ok(!shows(content), at);
      if (content.includes('marker-of-the-client')) marked += 1;
    }
    assert.ok(
      marked >= 2,
      'what is no secret is found in the database and its log: this looks where it says',
    );
  });
});

/** 18 bytes, so that what follows them does not change their base64. */
const forms = [mark, base64(`canary-${mark}`), Buffer.from(mark).toString('hex')];
const shows = (content: Buffer): boolean => forms.some((form) => content.includes(form));

/** Of all properties, however deep. */
function namesIn(schema: unknown, known: Readonly<Record<string, unknown>>): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    if (key === '$ref') return namesIn(known[String(value).split('/').at(-1) ?? ''], known);
    const names =
      key === 'properties' && typeof value === 'object' && value !== null ? Object.keys(value) : [];
    return [...names, ...namesIn(value, known)];
  });
}

/** Of the secure store's own description: a message with a field that is secret, and what takes it as its body. */
async function methodsThatTakeSecrets(): Promise<string[]> {
  const folder = path.join(import.meta.dirname, '../../services/secrets/proto/ai/h2o/securestore/v1');
  const taking: string[] = [];
  for (const file of await readdir(folder)) {
    const text = await readFile(path.join(folder, file), 'utf8');
    const messages = new Set(
      [...text.matchAll(/^message (\w+) \{([^}]*)\}/gm)]
        .filter(([, , fields = '']) => /\b(bytes|string) (value|client_secret) = /.test(fields))
        .map(([, name = '']) => name.toLowerCase()),
    );
    for (const [, verb = '', route = '', body = ''] of text.matchAll(
      /\b(post|patch): "(\/v1\/[^"]+)"\s+body: "(\w+)"/g,
    ))
      if ([...messages].some((name) => name === body.replaceAll('_', '')))
        taking.push(`${verb.toUpperCase()} /secure-store${route}`);
  }
  assert.equal(taking.length, 3, String(taking));
  return taking;
}
