import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { checkedRedirectUri, isLoopback } from './oauth/model.ts';
import { parseKeys } from './sealing/wrapping-keys.ts';
import { base64, startTestSecrets, type TestSecrets } from './testing.ts';

const numRuns = process.env.HAIC_TEST_SIZE === 'full' ? 10_000 : 300;

/** Anything that a client could send for a text: of every plane, with what browsers and databases stumble over. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.constantFrom('', '\0', '%00', '__proto__', 'constructor', '\ud800', 'a/b', 'x'.repeat(3000), "';--"),
);
const anything = fc.oneof(fc.jsonValue({ maxDepth: 4 }), text);
// Whoever sends an address takes . and .. for steps in it, and would ask for something else.
const encoded = text
  .filter((value) => !/^\.\.?$/.test(value))
  .map((value) => encodeURIComponent(value.toWellFormed()));

describe('nonsense at the secure store', () => {
  let world: TestSecrets;
  before(async () => {
    world = await startTestSecrets({ revealRate: { perMinute: 0, burst: 1 } });
    world.workspaces.roles.set('workspaces/team', { ada: 'editor' });
    await world.call('ada', 'POST', 'workspaces/team/secrets?secretId=kept', {});
    await world.call('ada', 'POST', 'workspaces/team/secrets/kept/versions', { value: base64('kept') });
  });
  after(() => world?.stop());

  const answered = async (method: string, at: string, body?: unknown) => {
    const { status, text } = await world.call('admin', method, at, body);
    const own = await world.call('ada', method, at, body);
    for (const each of [status, own.status])
      assert.ok(each < 500, `${method} ${at} ${JSON.stringify(body)}: ${each} ${text} ${own.text}`);
  };

  it('in names is answered and never an error of ours', async () => {
    const templates = [
      ...['workspaces/{}/secrets', 'workspaces/team/secrets/{}', 'workspaces/team/secrets/{}:undelete', '{}'],
      ...['workspaces/team/secrets/kept/versions/{}', 'workspaces/team/secrets/kept/versions/{}:revealValue'],
      ...['oauthClients/{}', 'oauthClients/{}/tokenSources', 'oauthClients/corp/tokenSources/{}'],
    ];
    const methods = fc.constantFrom('GET', 'POST', 'DELETE', 'PATCH');
    await fc.assert(
      fc.asyncProperty(methods, fc.constantFrom(...templates), encoded, async (method, template, name) =>
        answered(method, template.replace('{}', name), method === 'GET' ? undefined : {}),
      ),
      { numRuns },
    );
  });

  it('in queries is answered and never an error of ours', async () => {
    const names = fc.constantFrom(
      'secretId',
      'pageSize',
      'pageToken',
      'showDeleted',
      'oauthClientId',
      'updateMask',
    );
    const lists = fc.constantFrom(
      'workspaces/team/secrets',
      'workspaces/team/secrets/kept/versions',
      'oauthClients',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST'),
        lists,
        names,
        encoded,
        async (method, list, name, value) =>
          answered(method, `${list}?${name}=${value}`, method === 'GET' ? undefined : {}),
      ),
      { numRuns },
    );
  });

  it('in page tokens of the right form is answered and never an error of ours', async () => {
    const tokens = fc
      .array(fc.oneof(text, fc.integer()), { maxLength: 3 })
      .map((place) => Buffer.from(JSON.stringify(place)).toString('base64url'));
    const lists = fc.constantFrom(
      'workspaces/team/secrets',
      'workspaces/team/secrets/kept/versions',
      'oauthClients',
    );
    await fc.assert(
      fc.asyncProperty(lists, tokens, async (list, token) => answered('GET', `${list}?pageToken=${token}`)),
      { numRuns },
    );
  });

  it('in bodies is answered and never an error of ours', async () => {
    const fields = [
      'displayName',
      'annotations',
      'value',
      'issuer',
      'clientId',
      'clientSecret',
      'extraScopes',
    ];
    const more = [
      'tokenEndpoint',
      'authorizationEndpoint',
      'oidcDisabled',
      'loginPrincipalClaim',
      'redirectUri',
    ];
    const body = fc.oneof(
      anything,
      fc.dictionary(fc.constantFrom(...fields, ...more, 'name', 'state'), anything),
    );
    const at = fc.constantFrom(
      ...['workspaces/team/secrets', 'workspaces/team/secrets/kept/versions', 'oauthClients'],
      'oauthClients/corp/tokenSources',
    );
    await fc.assert(
      fc.asyncProperty(at, body, (path, value) => answered('POST', path, JSON.stringify(value))),
      { numRuns },
    );
  });

  it('at the pages for browsers is a page or a refusal', async () => {
    await fc.assert(
      fc.asyncProperty(encoded, encoded, fc.boolean(), async (name, query, isCallback) => {
        const url = isCallback
          ? `/api/connections/${name}/callback?state=${query}&code=${query}`
          : `/api/connections/login/${name}?x=${query}`;
        const answer = await world.server.inject({
          url,
          headers: { authorization: 'Bearer ada', cookie: query },
        });
        assert.ok(answer.statusCode < 500, `${url}: ${answer.statusCode} ${answer.body}`);
        assert.equal(answer.headers.location, undefined);
      }),
      { numRuns },
    );
  });

  it('leaves what was kept as it was', async () => {
    const { body } = await world.call('ada', 'GET', 'workspaces/team/secrets/kept/versions/v1:revealValue');
    assert.equal(body.value, base64('kept'));
  });
});

describe('addresses to go to after a login', () => {
  it('lead by https, or to this machine, for every browser that reads them', () => {
    const address = fc.oneof(
      fc.webUrl({ withQueryParameters: true }),
      text,
      text.map((rest) => `https://${rest}`),
    );
    fc.assert(
      fc.property(address, (candidate) => {
        let taken: string;
        try {
          taken = checkedRedirectUri(candidate);
        } catch {
          return;
        }
        if (taken === '') return;
        const url = new URL(taken);
        assert.ok(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)), taken);
        assert.deepEqual([url.username, url.password], ['', '']);
        // The same for a browser that turns backslashes around and drops what cannot be seen.
        assert.equal(new URL(taken.replaceAll('\\', '/').replace(/\s/g, '')).host, url.host);
      }),
      { numRuns: numRuns * 5 },
    );
  });
});

describe('the keys that somebody brings', () => {
  it('are keys or are refused, and what is refused is not repeated', () => {
    fc.assert(
      fc.property(text, (candidate) => {
        try {
          for (const { key } of parseKeys(candidate, 'the file')) assert.equal(key.length, 32);
        } catch (error) {
          assert.ok(error instanceof Error && error.message.startsWith('the file holds no keys'));
        }
      }),
      { numRuns: numRuns * 5 },
    );
  });
});
