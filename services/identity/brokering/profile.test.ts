import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isLabel, isUsername } from '../model.ts';
import { profileOf } from './profile.ts';
import { parseUpstreamProviders } from './provider-settings.ts';
import { mergeLabels } from './store.ts';

const providerOf = (more: Record<string, unknown> = {}) => {
  const least = { alias: 'corp', issuer: 'https://corp.example', clientId: 'haic', clientSecret: 'x' };
  const [provider] = parseUpstreamProviders(JSON.stringify([{ ...least, ...more }]));
  assert.ok(provider !== undefined);
  return provider;
};

suite('What a provider says of a person', () => {
  test('what is no user name here becomes one', () => {
    const cases = [
      ['Ada', 'ada'],
      ['  Grace.Hopper@Corp.Example ', 'grace.hopper@corp.example'],
      ['Zoë Müller', 'zoe-muller'],
      ['CORP\\linus', 'corp-linus'],
      ['--x', 'x'],
      ['a\u0000b', 'a-b'],
      ['x'.repeat(500), 'x'.repeat(100)],
    ] as const;
    for (const [claimed, expected] of cases)
      assert.equal(profileOf(providerOf(), 's', { preferred_username: claimed }).username, expected, claimed);
  });

  test('who has no name to speak of is named after the provider, each otherwise', () => {
    for (const claimed of [undefined, '', '李明', 42, { a: 1 }, ['x'], '---', null]) {
      const one = profileOf(providerOf(), 'one', { preferred_username: claimed });
      const two = profileOf(providerOf(), 'two', { preferred_username: claimed });
      assert.match(one.username, /^corp-[0-9a-f]{10}$/);
      assert.ok(isUsername(one.username));
      assert.notEqual(one.username, two.username);
      assert.equal(one.name, one.username);
    }
  });

  test('an e-mail address is believed of a provider that is trusted with it, and not one that it did not verify', () => {
    const claims = { email: 'ada@corp.example', email_verified: true };
    const trusted = providerOf({ trustEmail: true });
    assert.equal(profileOf(providerOf(), 's', claims).email, '');
    assert.equal(profileOf(providerOf(), 's', claims).claimedEmail, 'ada@corp.example');
    assert.equal(profileOf(trusted, 's', claims).email, 'ada@corp.example');
    assert.equal(profileOf(trusted, 's', { ...claims, email_verified: false }).email, '');
    assert.equal(profileOf(trusted, 's', { ...claims, email_verified: 'false' }).email, '');
    assert.equal(profileOf(trusted, 's', { email: 'no address' }).email, '');
  });

  test('roles come by value, groups under a prefix, from claims named by path or whole', () => {
    const provider = providerOf({
      everybody: ['user'],
      roleClaim: 'realm_access.roles',
      roles: { boss: ['admin', 'auditor'] },
      groupClaim: 'https://corp.example/groups',
      groupPrefix: 'corp/',
    });
    const { roles, groups } = profileOf(provider, 's', {
      realm_access: { roles: ['boss', 'admin', 'constructor', '__proto__'] },
      'https://corp.example/groups': ['/a', 'b', 7, 'c\nd', '', 'b'],
    });
    assert.deepEqual(roles, ['admin', 'auditor', 'user']);
    assert.deepEqual(groups, ['corp/a', 'corp/b']);
  });

  test('a single text is a list of one, and nonsense is none', () => {
    const provider = providerOf({ groupClaim: 'groups' });
    const groupsOf = (groups: unknown) => profileOf(provider, 's', { groups }).groups;
    assert.deepEqual(groupsOf('research'), ['research']);
    for (const nonsense of [null, 7, {}, [[]], [{}], '', ' ', ['\u0000']])
      assert.deepEqual(groupsOf(nonsense), []);
    const many = groupsOf(Array.from({ length: 5000 }, (_, index) => `g${index}`));
    assert.equal(many.length, 200);
    assert.ok(many.every(isLabel));
  });

  test('what was given by hand stays, what a provider gave goes with it, what two gave stays with one', () => {
    const merged = mergeLabels({
      has: ['hand', 'old', 'both', 'theirs'],
      gaveBefore: ['old', 'both'],
      givesNow: ['new', 'hand'],
      othersGive: ['both', 'theirs'],
    });
    assert.deepEqual(merged, { labels: ['both', 'hand', 'new', 'theirs'], given: ['new'] });
  });
});
