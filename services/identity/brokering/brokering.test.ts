import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { TestBrowser } from '../testing.ts';
import { password, startTestBrokering, type TestBrokering } from './test-brokering.ts';

suite('Signing in at another provider', () => {
  let haic: TestBrokering;
  before(async () => {
    haic = await startTestBrokering();
  });
  after(() => haic?.stop());

  const linus = {
    sub: 'c-1',
    preferred_username: 'Linus',
    name: 'Linus Torvalds',
    email: 'linus@corp.example',
    email_verified: true,
    groups: ['/analysts', 'bosses'],
  };

  test('a new person comes in with name, e-mail, roles and groups, by a button on the sign-in page', async () => {
    haic.corp.person = linus;
    const { principal, tokens, markup, page } = await haic.signInWith('corp');
    assert.equal(principal.username, 'linus');
    assert.equal(principal.name, 'Linus Torvalds');
    assert.equal(principal.email, 'linus@corp.example');
    assert.deepEqual(principal.roles, ['admin', 'user']);
    assert.deepEqual(principal.groups, ['corp/analysts', 'corp/bosses']);
    assert.equal(tokens.claims()?.iss, haic.issuer);
    assert.equal(markup, '');
    assert.match(page, /\/login\//);
  });

  test('the request carries PKCE, state and nonce, and never the secret', async () => {
    haic.corp.person = linus;
    haic.corp.requests.length = 0;
    await haic.signInWith('corp');
    const asked = haic.corp.requests.find((url) => url.startsWith('/auth?')) ?? '';
    const query = new URLSearchParams(asked.split('?')[1]);
    assert.equal(query.get('code_challenge_method'), 'S256');
    for (const name of ['state', 'nonce', 'code_challenge'])
      assert.match(query.get(name) ?? '', /^[\w-]{43}$/, name);
    assert.equal(query.get('redirect_uri'), haic.endpointOf('corp'));
    assert.ok(!asked.includes('secret'));
  });

  test('the same person is the same one at each sign-in, however they are called meanwhile', async () => {
    haic.corp.person = linus;
    const first = await haic.signInWith('corp');
    haic.corp.person = { ...linus, preferred_username: 'torvalds', name: 'L. Torvalds' };
    const second = await haic.signInWith('corp');
    assert.equal(second.principal.subject, first.principal.subject);
    assert.equal(second.principal.username, 'linus');
    assert.equal(second.principal.name, 'L. Torvalds');
  });

  test('roles and groups follow the provider, and what was given by hand stays', async () => {
    haic.corp.person = { ...linus, sub: 'c-2', preferred_username: 'margaret', email: '' };
    const { principal, browser } = await haic.signInWith('corp');
    const before = await haic.identity.operator.get('margaret');
    await haic.identity.operator.change('margaret', {
      roles: [...before.roles, 'auditor'],
      groups: [...before.groups, 'apollo'],
    });
    haic.corp.person = { ...haic.corp.person, groups: ['pilots'] };
    const again = await haic.signInWith('corp');
    assert.equal(again.principal.subject, principal.subject);
    assert.deepEqual(again.principal.roles, ['auditor', 'user']);
    assert.deepEqual(again.principal.groups, ['apollo', 'corp/pilots']);
    // Who lost a role is signed out of the browsers where the role was used.
    const elsewhere = await haic.toButton(browser, 'corp');
    assert.match(elsewhere.markup, /name="password"/);
  });

  test('signing in again in a browser where the session is, with fewer roles, comes through', async () => {
    haic.corp.person = { ...linus, sub: 'c-21', preferred_username: 'katherine', email: '' };
    const { browser } = await haic.signInWith('corp');
    haic.corp.person = { ...haic.corp.person, groups: [] };
    const again = await haic.come('corp', browser, { prompt: 'login' });
    assert.ok(haic.atCallback(again.end), `${again.end} ${again.markup}`);
    const asked = haic.corp.requests.findLast((url) => url.startsWith('/auth?')) ?? '';
    assert.match(asked, /prompt=login/);
  });

  test('who has a local account proves it by its password once, and keeps it', async () => {
    const { person } = await haic.identity.operator.add(
      {
        username: 'ada',
        name: 'Ada Lovelace',
        email: 'ada@haic.example',
        roles: ['user'],
        groups: ['science'],
      },
      password,
    );
    haic.corp.person = {
      sub: 'c-ada',
      preferred_username: 'ada',
      name: 'A. L.',
      email: 'ada@corp.example',
      groups: [],
    };
    const arrived = await haic.come('corp');
    assert.equal(arrived.status, 200);
    assert.match(arrived.markup, /Is this your account\?/);
    assert.match(arrived.markup, /Corp &amp; Sons/);
    const wrong = await haic.prove(arrived, { choice: 'mine', username: 'ada', password: 'wrong' });
    assert.equal(wrong.status, 401);
    const right = await haic.prove(arrived, { choice: 'mine', username: 'ada', password });
    assert.equal(right.principal?.subject, person.id);
    assert.equal(right.principal?.name, 'Ada Lovelace');
    assert.equal(right.principal?.email, 'ada@haic.example');
    assert.deepEqual(right.principal?.groups, ['science']);
    // From now on the provider is enough.
    const again = await haic.signInWith('corp');
    assert.equal(again.principal.subject, person.id);
  });

  test('who says that the account of the same name is not theirs gets another one', async () => {
    await haic.identity.operator.add(
      { username: 'grace', email: 'grace@haic.example', roles: [], groups: [] },
      password,
    );
    haic.corp.person = {
      sub: 'c-grace',
      preferred_username: 'grace',
      email: 'grace@haic.example',
      groups: [],
    };
    const arrived = await haic.come('corp');
    const { principal } = await haic.prove(arrived, { choice: 'new' });
    assert.equal(principal?.username, 'grace-2');
    // The address belongs to somebody else here, whatever the provider says.
    assert.equal(principal?.email, undefined);
  });

  test('a provider that lets nobody new in lets in who proves an account', async () => {
    haic.other.person = { sub: 'o-1', preferred_username: 'stranger' };
    const stranger = await haic.come('other');
    assert.equal(stranger.status, 403);
    assert.match(stranger.markup, /You have no account here/);
    const { person } = await haic.identity.operator.add(
      { username: 'edsger', roles: ['user'], groups: [] },
      password,
    );
    haic.other.person = { sub: 'o-2', preferred_username: 'edsger' };
    const arrived = await haic.come('other');
    assert.doesNotMatch(arrived.markup, /make me a new one/);
    const refused = await haic.prove(arrived, { choice: 'new' });
    assert.equal(refused.status, 403);
    const once = await haic.come('other');
    const { principal } = await haic.prove(once, { choice: 'mine', username: 'edsger', password });
    assert.equal(principal?.subject, person.id);
  });

  test('who is disabled stays out, linked or not, and cannot come in as somebody new', async () => {
    haic.corp.person = { sub: 'c-3', preferred_username: 'mallory', groups: [] };
    await haic.signInWith('corp');
    await haic.identity.operator.change('mallory', { disabled: true });
    const linked = await haic.come('corp');
    assert.equal(linked.status, 403);
    assert.match(linked.markup, /may not sign in/);

    await haic.identity.operator.add(
      { username: 'trudy', email: 'trudy@haic.example', roles: [], groups: [] },
      password,
    );
    await haic.identity.operator.change('trudy', { disabled: true });
    for (const claims of [
      { preferred_username: 'trudy' },
      { preferred_username: 'x', email: 'Trudy@haic.example' },
    ]) {
      haic.corp.person = { sub: 'c-4', groups: [], ...claims };
      assert.equal((await haic.come('corp')).status, 403);
    }
  });

  test('people of another provider have no password, and a reset says so', async () => {
    haic.corp.person = { sub: 'c-5', preferred_username: 'barbara', groups: [] };
    const { browser } = await haic.signInWith('corp');
    await assert.rejects(haic.identity.operator.resetPassword('barbara'), {
      code: 'no_password',
      status: 409,
    });
    const account = await browser.fetch(`${haic.issuer}/account`);
    assert.match(await account.text(), /No password here/);
    const form = await haic.toButton(new TestBrowser(), 'corp');
    for (const guess of ['', 'null', 'undefined'])
      assert.equal(
        (await new TestBrowser().submit(form.page, { username: 'barbara', password: guess })).headers.get(
          'location',
        ),
        null,
      );
    // The operator who names one means it.
    await haic.identity.operator.resetPassword('barbara', 'another good password');
    assert.equal((await haic.signInWith('corp')).principal.username, 'barbara');
  });

  test('signing out of Haic signs out at the provider, and ends where the application asked', async () => {
    haic.corp.person = { sub: 'c-6', preferred_username: 'annie', groups: [] };
    const { browser, tokens } = await haic.signInWith('corp');
    haic.corp.requests.length = 0;
    const out = new URL(`${haic.issuer}/protocol/openid-connect/logout`);
    out.searchParams.set('id_token_hint', tokens.id_token ?? '');
    out.searchParams.set('post_logout_redirect_uri', `${haic.publicUrl}/`);
    const response = await browser.fetch(out.href);
    const elsewhere = new URL(response.headers.get('location') ?? '');
    assert.equal(elsewhere.origin, haic.corp.issuer);
    assert.ok(elsewhere.searchParams.has('id_token_hint'));
    assert.equal(
      elsewhere.searchParams.get('post_logout_redirect_uri'),
      `${haic.endpointOf('corp')}/logout_response`,
    );
    // Already over here, whatever becomes of the way back.
    assert.match((await haic.toButton(browser, 'corp')).markup, /name="password"/);

    const asked = await browser.fetch(elsewhere.href);
    const form = await asked.text();
    const fields = Object.fromEntries(
      [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)].map((m) => [m[1], m[2]]),
    );
    const action = /action="([^"]+)"/.exec(form)?.[1] ?? '';
    const confirmed = await browser.submit(action, { ...fields, logout: 'yes' } as Record<string, string>);
    const back = await browser.fetch(confirmed.headers.get('location') ?? '');
    assert.equal(back.headers.get('location'), `${haic.publicUrl}/`);
  });

  test('the way back from signing out leads to no address that Haic did not seal', async () => {
    const back = `${haic.endpointOf('corp')}/logout_response`;
    for (const state of [
      '',
      'https://evil.example',
      Buffer.from('https://evil.example').toString('base64url'),
    ]) {
      const response = await new TestBrowser().fetch(`${back}?state=${encodeURIComponent(state)}`);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('location'), null);
    }
  });

  test('a provider that is away is said to be, and passwords go on', async () => {
    const away = await startTestBrokering();
    try {
      await away.identity.operator.add({ username: 'ada', roles: ['user'], groups: [] }, password);
      away.corp.down = true;
      const arrived = await away.come('corp');
      assert.equal(arrived.status, 503);
      assert.match(arrived.markup, /Corp &amp; Sons cannot be reached/);
      const link = /class="button" href="([^"]+)"/.exec(arrived.markup)?.[1] ?? '';
      const form = new URL(link, arrived.end).href;
      assert.equal((await arrived.browser.fetch(form)).status, 200);
      const signedIn = await arrived.browser.submit(form, { username: 'ada', password });
      assert.equal(signedIn.status, 303);
      // Back again, it is found without a restart.
      away.corp.down = false;
      away.corp.person = { sub: 'c-1', preferred_username: 'linus', groups: [] };
      await away.signInWith('corp');
      // Gone between the way there and back.
      const browser = new TestBrowser();
      const { button } = await away.toButton(browser, 'corp');
      const back = await browser.follow(button, (url) => url.startsWith(away.endpointOf('corp')));
      away.corp.down = true;
      assert.equal((await browser.fetch(back.url)).status, 503);
    } finally {
      await away.stop();
    }
  });

  test('somebody else at the same browser ends the session of who was there', async () => {
    haic.corp.person = { sub: 'c-7', preferred_username: 'first', groups: [] };
    const { browser, tokens } = await haic.signInWith('corp');
    haic.corp.person = { sub: 'c-8', preferred_username: 'second', groups: [] };
    const fresh = await haic.toButton(browser, 'corp', { prompt: 'login' });
    browser.clearCookies(new URL(haic.corp.issuer).hostname);
    const end = await browser.follow(fresh.button, haic.atCallback);
    assert.ok(end.response === undefined, await end.response?.text());
    const second = await haic.verifyToken((await fresh.request.tokens(end.url)).access_token);
    assert.equal(second.username, 'second');
    const logoutSubject = JSON.parse(
      Buffer.from(haic.logoutTokens.at(-1)?.split('.')[1] ?? '', 'base64url').toString(),
    ).sub;
    assert.equal(logoutSubject, tokens.claims()?.sub);
  });
});
