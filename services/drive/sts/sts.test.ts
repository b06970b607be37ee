import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { createSessions } from '../sessions.ts';
import { between, startTestDrive, type TestDrive } from '../testing.ts';

describe('temporary keys', () => {
  let haic: TestDrive;
  before(async () => {
    haic = await startTestDrive(createFilesystemBlobStore);
  });
  after(() => haic.stop());
  const ask = async (fields: Record<string, string>) => haic.sts(fields);
  const withToken = async (...of: Parameters<TestDrive['token']>) =>
    ask({ WebIdentityToken: await haic.token(...of) });

  it('are given for an access token, for an hour or as long as was asked', async () => {
    for (const [seconds, wanted] of [
      [undefined, 3600],
      ['900', 900],
      ['43200', 43_200],
    ] as const) {
      const WebIdentityToken = await haic.token();
      const answer = await ask({
        WebIdentityToken,
        ...(seconds === undefined ? {} : { DurationSeconds: seconds }),
      });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.headers['cache-control'], 'no-store');
      const left = (Date.parse(between(answer.text, 'Expiration') ?? '') - Date.now()) / 1000;
      assert.ok(Math.abs(left - wanted) < 30, `${left}`);
    }
  });

  it('are in the audit trail before they leave: who got them, by which client, from where and until when', async () => {
    haic.trail.actions.length = 0;
    const WebIdentityToken = await haic.token({ azp: 'haic-cli' });
    const { text } = await ask({ WebIdentityToken, RoleSessionName: 'laptop' });
    const { userAgent, ...told } = haic.trail.actions[0] ?? {};
    assert.deepEqual(
      [haic.trail.actions.length, typeof userAgent, told],
      [
        1,
        'string',
        {
          ...{ action: 'actions/drive/keys/CREATE', readOnly: false, principal: 'users/ada' },
          resource: `//drive/keys/${between(text, 'AccessKeyId')}`,
          requestParameters: {
            sessionName: 'laptop',
            expiration: new Date(between(text, 'Expiration') ?? '').toISOString(),
          },
          ...{ sourceIpAddress: '127.0.0.1', metadata: { client: 'haic-cli' } },
        },
      ],
    );
    for (const secret of ['SecretAccessKey', 'SessionToken'])
      assert.ok(!JSON.stringify(haic.trail.actions).includes(between(text, secret) ?? 'missing'), secret);
  });

  it('are not given where that cannot be recorded', async () => {
    haic.trail.away = true;
    const answer = await withToken();
    haic.trail.away = false;
    assert.deepEqual([answer.status, between(answer.text, 'SecretAccessKey')], [503, undefined]);
    assert.equal((await withToken()).status, 200);
  });

  it('are in the audit trail, too, when they are refused', async () => {
    haic.trail.actions.length = 0;
    assert.equal((await ask({ WebIdentityToken: 'e30.e30.e30' })).code, 'InvalidIdentityToken');
    const [told] = haic.trail.actions;
    assert.deepEqual(
      [told?.principal, told?.action, told?.status?.code],
      [...['users/unknown', 'actions/drive/keys/CREATE', 3]],
    );
    assert.match(told?.status?.message ?? '', /^InvalidIdentityToken: /);
  });

  it('are refused with the codes that clients have types for', async () => {
    const other = { iss: 'https://elsewhere.test' };
    assert.equal((await withToken({}, '-1m')).code, 'ExpiredTokenException');
    assert.equal((await withToken({ aud: 'account' })).code, 'InvalidIdentityToken');
    assert.equal((await withToken(other)).code, 'InvalidIdentityToken');
    assert.equal((await withToken({ azp: 'somebody-else' })).code, 'InvalidIdentityToken');
    assert.equal((await ask({ WebIdentityToken: 'e30.e30.e30' })).code, 'InvalidIdentityToken');
    assert.equal((await withToken({ azp: 'haic-service-core' })).code, 'IDPRejectedClaim');
    const answer = await ask({ WebIdentityToken: 'nonsense' });
    assert.deepEqual([answer.status, between(answer.text, 'Type')], [400, 'Sender']);
  });

  it('are given to each kind of client that acts for somebody, and to machines', async () => {
    for (const azp of ['haic-portal', 'haic-platform', 'haic-cli', 'haic-app-1', 'haic-sa-ci'])
      assert.equal((await withToken({ azp })).status, 200, azp);
  });

  it('are not given for a form that is another', async () => {
    const WebIdentityToken = await haic.token();
    for (const [fields, code] of [
      [{ WebIdentityToken, DurationSeconds: '899' }, 'ValidationError'],
      [{ WebIdentityToken, DurationSeconds: '43201' }, 'ValidationError'],
      [{ WebIdentityToken, DurationSeconds: '1e3' }, 'ValidationError'],
      [{ WebIdentityToken, Action: 'AssumeRole' }, 'InvalidAction'],
      [{ WebIdentityToken, Version: '2010-05-08' }, 'InvalidAction'],
      [{}, 'MissingParameter'],
      [{ WebIdentityToken: 'a'.repeat(20_001) }, 'ValidationError'],
      [{ WebIdentityToken, RoleArn: 'a'.repeat(100_000) }, 'MaxMessageLengthExceeded'],
    ] as const)
      assert.equal((await ask(fields)).code, code, JSON.stringify(fields).slice(0, 80));
    const plain = await haic.send({ method: 'POST', path: '/sts', body: 'Action=AssumeRoleWithWebIdentity' });
    assert.equal(plain.code, 'ValidationError');
    assert.equal((await haic.send({ path: '/sts' })).code, 'InvalidAction');
  });

  it('are worth nothing in a bucket of somebody else, nor changed', async () => {
    const ada = await haic.keysOf('ada');
    const bob = await haic.keysOf('bob');
    await haic.ask(ada, { method: 'PUT', path: '/_my/mine', body: 'ada' });
    assert.equal((await haic.ask(bob, { path: '/_my/mine' })).code, 'NoSuchKey');
    const mixed = { ...bob, sessionToken: ada.sessionToken };
    assert.equal((await haic.ask(mixed, { path: '/_my/mine' })).code, 'InvalidToken');
  });

  it('end when their time is over, also where they were seen before', async () => {
    const sessions = createSessions(Buffer.alloc(32, 7));
    const now = Date.now();
    const principal = await haic.principal();
    const keys = sessions.issue(principal, 900, { now });
    const open = (after: number) => sessions.open(keys.accessKeyId, keys.sessionToken, now + after * 1000);
    assert.equal(open(0).secretAccessKey, keys.secretAccessKey);
    assert.equal(open(890).session.subject, 'ada');
    assert.throws(() => open(901), { code: 'ExpiredToken' });
  });

  it('end within seconds when the account, the sign-in or the app ends', async () => {
    const cases = [
      ['account', 'carol', {}],
      ['sign-in', 'dora', { sid: 'sign-in' }],
      ['app-1', 'emma', { azp: 'haic-app-app-1' }],
    ] as const;
    for (const [end, subject, claims] of cases) {
      const keys = await haic.keysOf(subject, claims);
      assert.equal((await haic.ask(keys, { path: '/_my' })).status, 200, end);
      haic.ended.add(end === 'account' ? subject : end);
      const deadline = Date.now() + 30_000;
      let code: string | undefined;
      while (code === undefined && Date.now() < deadline) {
        code = (await haic.ask(keys, { path: '/_my' })).code;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      assert.equal(code, 'ExpiredToken', end);
      const WebIdentityToken = await haic.token({ sub: subject, ...claims });
      assert.equal((await ask({ WebIdentityToken })).code, 'IDPRejectedClaim', 'and no new ones are given');
    }
  });
});
