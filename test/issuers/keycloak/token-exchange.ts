import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { bundleOf } from '../../faults/support.ts';
import { importAndRun, type KeycloakWorld, withBrowserOf } from '../world.ts';
import { addServiceAccount } from './service-account.ts';

const here = import.meta.dirname;
type Answers = Record<'allowed' | 'not opened to apps' | 'unknown', { token: string; error: string }>;

/** A resource is a client of the realm; apps may have its audience by a client scope that the administrator makes (docs/keycloak.md). */
async function addResource({ keycloak }: KeycloakWorld, name: string, openToApps: boolean): Promise<void> {
  await keycloak.admin('POST', 'haic', '/clients', {
    clientId: name,
    publicClient: false,
    standardFlowEnabled: false,
  });
  if (!openToApps) return;
  await keycloak.admin('POST', 'haic', '/client-scopes', {
    name,
    protocol: 'openid-connect',
    attributes: { 'include.in.token.scope': 'true', 'display.on.consent.screen': 'false' },
    protocolMappers: [
      {
        name: `audience ${name}`,
        protocol: 'openid-connect',
        protocolMapper: 'oidc-audience-mapper',
        config: { 'included.client.audience': name, 'access.token.claim': 'true', 'id.token.claim': 'false' },
      },
    ],
  });
  const scopes = await keycloak.admin<{ id: string; name: string }[]>('GET', 'haic', '/client-scopes');
  const scope = scopes.find((one) => one.name === name);
  await keycloak.admin('PUT', 'haic', `/default-optional-client-scopes/${scope?.id}`);
}

export function tokenExchange(world: () => KeycloakWorld): void {
  test('an app exchanges its person’s token at Keycloak for an audience that is open to apps, and for no other (RFC 8693)', async () => {
    const { haic, issuer } = world();
    await addResource(world(), 'reports', true);
    await addResource(world(), 'payroll', false);
    const requirements = path.join(here, '../../../samples/who-am-i/requirements.txt');
    const bundle = bundleOf({
      name: 'exchanging',
      source: await readFile(path.join(here, 'exchanging_app.py'), 'utf8'),
      appMode: 'wave',
      runtime: ['EnableOIDC = true', 'MemoryLimit = "512Mi"'],
      files: [{ name: 'requirements.txt', content: await readFile(requirements, 'utf8') }],
    });
    const answers = await withBrowserOf(world(), 'ada', async ({ context }, page) => {
      const { url } = await importAndRun(world(), context, bundle, 'PRIVATE');
      await page.goto(url);
      const shown = page.getByText(/ANSWERS/).first();
      await shown.waitFor();
      return JSON.parse((await shown.innerText()).replace(/^ANSWERS /, '')) as Answers;
    });
    assert.deepEqual(
      [answers['not opened to apps'].error, answers.unknown.error],
      ['invalid_request', 'invalid_client'],
    );

    // What the resource does with it: Keycloak's keys, its own audience, and who it is.
    const { token } = answers.allowed;
    const keys = createRemoteJWKSet(new URL(`${issuer}/protocol/openid-connect/certs`));
    const { payload } = await jwtVerify(token, keys, { issuer, audience: 'reports' });
    assert.equal(payload.aud, 'reports');
    assert.equal(payload.preferred_username, 'ada');
    assert.match(String(payload.azp), /^haic-app-/);
    // It is for the resource alone: Haic takes it for nobody's.
    const atHaic = await fetch(`${haic.url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(atHaic.status, 401);

    // Nor does whoever got hold of it carry the person further.
    const other = await addServiceAccount(world(), 'other', ['user'], {
      'standard.token.exchange.enabled': 'true',
    });
    const refused = await other.askForToken({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      scope: 'reports',
    });
    assert.deepEqual([refused.access_token, refused.error], [undefined, 'access_denied']);
  });
}
