import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parseUpstreamProviders } from './provider-settings.ts';

const least = {
  alias: 'corp',
  issuer: 'https://login.corp.example',
  clientId: 'haic',
  clientSecret: 's3cret-value',
};
const inline = (...providers: unknown[]) => parseUpstreamProviders(JSON.stringify(providers));

suite('The setting of other providers', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'haic-upstream-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const file = async (name: string, text: string) => {
    const place = path.join(folder, name);
    await writeFile(place, text);
    return place;
  };

  test('says little, and then nobody new comes in and no e-mail address is believed', () => {
    const [provider] = inline(least);
    assert.deepEqual(provider, {
      ...least,
      title: 'corp',
      scopes: ['openid', 'profile', 'email'],
      usernameClaim: 'preferred_username',
      everybody: [],
      roleClaim: undefined,
      roles: new Map(),
      groupClaim: undefined,
      groupPrefix: '',
      trustEmail: false,
      newPeople: false,
    });
  });

  test('is read from a TOML file, its secret from a file of its own', async () => {
    const secret = await file('secret', 'from a file\n');
    const toml = await file(
      'providers.toml',
      `[[provider]]
alias = "corp"
title = "Corp"
issuer = "https://login.corp.example"
clientId = "haic"
clientSecretFile = "${secret}"
everybody = ["user"]
roleClaim = "realm_access.roles"
roles = { haic-admins = ["admin"] }
newPeople = true

[[provider]]
alias = "partner"
issuer = "http://localhost:9000"
clientId = "haic"
clientSecret = "x"
`,
    );
    const [corp, partner] = parseUpstreamProviders(toml);
    assert.equal(corp?.clientSecret, 'from a file');
    assert.deepEqual(corp?.roles, new Map([['haic-admins', ['admin']]]));
    assert.equal(corp?.newPeople, true);
    assert.equal(partner?.alias, 'partner');
  });

  test('names everything that is wrong at once', () => {
    const problems = [
      'alias must be a short word',
      'issuer must be https, unless it is on this machine',
      'clientId must be',
      'needs clientSecret or clientSecretFile',
      'scopes must have openid',
      'everybody must be a list of roles',
      'roles needs roleClaim',
      'newPeople must be true or false',
      '"nonsense" is not known',
      'twice: the alias is there more than once',
    ];
    const bad = {
      alias: '../x',
      issuer: 'http://corp.example',
      scopes: ['email'],
      everybody: ['\n'],
      roles: { a: ['admin'] },
      newPeople: 'yes',
      nonsense: 1,
    };
    const twice = { ...least, alias: 'twice' };
    assert.throws(
      () => inline(bad, twice, twice),
      (error: Error) => {
        for (const problem of problems)
          assert.ok(error.message.includes(problem), `${problem}: ${error.message}`);
        return true;
      },
    );
  });

  test('never repeats a secret in what it says', async () => {
    const broken = `[{"alias":"corp","clientSecret":"s3cret-value",]`;
    const toml = `[[provider]]\nclientSecret = "s3cret-value\n`;
    for (const source of [broken, await file('a.json', broken), await file('b.toml', toml)])
      assert.throws(
        () => parseUpstreamProviders(source),
        (error: Error) => !error.message.includes('s3cret'),
      );
    assert.throws(
      () => inline({ ...least, issuer: 1 }),
      (error: Error) => !error.message.includes('s3cret'),
    );
  });

  test('what is no list of providers is said to be none', () => {
    for (const raw of [
      '{}',
      '[]',
      '{"provider":1}',
      '/nowhere/providers.toml',
      '[1]',
      '[null]',
      '{"provider":[[]]}',
    ])
      assert.throws(() => parseUpstreamProviders(raw), /must|names/, raw);
  });
});
