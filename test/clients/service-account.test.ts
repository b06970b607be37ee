import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { callApi, waitForStatus } from '../support/api.ts';
import { type CommandResult, type Haic, startHaic } from '../support/haic.ts';

interface Credentials {
  readonly name: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A pipeline: no person, no configuration, no terminal; what it is stands in its environment. */
describe('a pipeline with a service account', () => {
  let haic: Haic;
  let credentials: Credentials;
  before(async () => {
    haic = await startHaic();
    await haic.addUser('ada');
    const said = await haic.run([
      'service-account',
      'add',
      'nightly',
      '--owner',
      'ada',
      '--expires',
      '30',
      '--json',
    ]);
    credentials = JSON.parse(said) as Credentials;
  });
  after(() => haic?.stop());

  const asAccount = (args: readonly string[], secret = credentials.clientSecret): Promise<CommandResult> =>
    haic.cli(args, {
      // A bundle is written where the command runs.
      cwd: haic.home,
      env: {
        HOME: haic.home,
        H2O_CLOUD_ENVIRONMENT: haic.url,
        HAIC_CLIENT_ID: credentials.clientId,
        HAIC_CLIENT_SECRET: secret,
      },
    });
  const ok = async (args: readonly string[], secret?: string): Promise<string> => {
    const result = await asAccount(args, secret);
    assert.equal(result.code, 0, result.stderr);
    return result.stdout;
  };

  test('imports an app, runs it as its owner, reads its log; and is refused everything once it is removed', async () => {
    await ok(['bundle', 'import', fileURLToPath(new URL('../../samples/hello', import.meta.url))]);
    const apps = JSON.parse(await ok(['app', 'list', '--json'])) as {
      id: string;
      owner: { username: string };
    }[];
    assert.deepEqual(
      apps.map(({ owner }) => owner.username),
      ['nightly'],
    );
    const token = (await ok(['platform', 'access-token'])).trim();
    const run = await callApi<{ id: string; owner: { username: string } }>(
      haic,
      token,
      'POST',
      `/api/v1/apps/${apps[0]?.id}/instances`,
      {},
    );
    assert.equal(run.status, 201);
    assert.equal(run.body.owner.username, 'nightly');
    await waitForStatus(haic, token, run.body.id, 'DEPLOYED');
    const page = await fetch(`${haic.url}/instance/${run.body.id}/`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(page.status, 200, 'its own PRIVATE instance opens for it');
    const ada = await haic.accessToken('ada');
    const foreign = await callApi(haic, ada, 'GET', `/api/v1/instances/${run.body.id}`);
    assert.equal(foreign.status, 404, 'who answers for an account does not act as it');

    const rotated = JSON.parse(
      await haic.run(['service-account', 'rotate', 'nightly', '--json']),
    ) as Credentials;
    await ok(['app', 'list']);
    await ok(['app', 'list'], rotated.clientSecret);

    await haic.run(['service-account', 'remove', 'nightly', '--yes']);
    const refused = await callApi<{ code: string }>(haic, token, 'GET', '/api/v1/me');
    assert.deepEqual(
      [refused.status, refused.body.code],
      [401, 'unauthenticated'],
      'within the life of its token',
    );
    const next = await asAccount(['app', 'list'], rotated.clientSecret);
    assert.equal(next.code, 4);
    assert.match(next.stderr, /haic-sa-nightly is refused/);
    assert.doesNotMatch(next.stderr, /haic_sa_/);
    const admin = await haic.accessToken('admin');
    await waitForStatus(haic, admin, run.body.id, 'SUSPENDED');
  });
});
