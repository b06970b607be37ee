import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client, credentials, status } from '@grpc/grpc-js';
import { callUnary } from '@haic/kit/grpc-gateway/testing/foreign-client.ts';
import { SecretService } from '@haic/services/secrets/gen/ai/h2o/securestore/v1/secret_pb.js';
import { SecretVersionService } from '@haic/services/secrets/gen/ai/h2o/securestore/v1/secret_version_pb.js';
import { execute, type Haic, startHaic } from '../support/haic.ts';
import { pythonWith } from '../support/python.ts';

const requirements = ['h2o-secure-store==1.4.2', 'h2o-cloud-discovery==3.3.0', 'h2o-authn==3.1.0'];
const script = path.join(import.meta.dirname, 'secure_store.py');

describe('the official h2o-secure-store, and gRPC by a client of another make', () => {
  let haic: Haic;
  let python: string;

  before(async () => {
    python = await pythonWith(requirements);
    haic = await startHaic();
  });
  after(() => haic?.stop());

  const use = async (mode: string) => {
    await haic.addUser(mode);
    const token = (await haic.run(['token', '--user', mode])).trim();
    const env = { PATH: '/usr/bin:/bin', TEST_URL: haic.url, TEST_TOKEN: token };
    return JSON.parse(await execute(python, [script, mode], env));
  };

  for (const mode of ['discovery', 'custom', 'provider'])
    it(`keep, list, reveal, delete and bring back secrets (${mode})`, async () => {
      const { workspace, ...found } = await use(mode);
      assert.match(workspace, /^[a-z0-9][a-z0-9-]*$/);
      assert.deepEqual(found, {
        same: true,
        id: 'db',
        state: 'SecretState.STATE_ACTIVE',
        annotations: { a: 'b' },
        display_name: 'Database',
        times: [true, null, null],
        unnamed: true,
        revealed: ['one \u00ff', 'two'],
        latest: true,
        pages: [1, 1, ''],
        all_versions: 2,
        listed: 1,
        all: 2,
        taken: '409 6',
        none: '404 5',
        bad: '400 3',
        elsewhere: '404 5',
        deleted: ['SecretState.STATE_DELETED', 30],
        closed: '400 9',
        left: [1, 2],
        back: 'SecretState.STATE_ACTIVE',
        after: 0,
      });
    });

  it('are told where the secure store is', async () => {
    const answer = await fetch(`${haic.url}/.ai.h2o.cloud.discovery/v1/services`);
    const { services } = (await answer.json()) as { services: Record<string, unknown>[] };
    const service = services.find(({ name }) => name === 'services/secure-store');
    assert.equal(service?.uri, `${haic.url}/secure-store`);
    assert.equal(service?.pythonClient, 'h2o-secure-store==1.4.2');
    for (const at of ['/version', '/secure-store/version', '/secure-store//v1/workspaces%2Fdefault/secrets'])
      assert.notEqual((await fetch(`${haic.url}${at}`)).status, 404, at);
  });

  it('say the same by gRPC', async () => {
    await haic.addUser('grace');
    const token = `Bearer ${await haic.accessToken('grace')}`;
    const client = new Client(`127.0.0.1:${haic.port + 3}`, credentials.createInsecure());
    try {
      const { createSecret, listSecrets } = SecretService.method;
      const { createSecretVersion, revealSecretVersionValue } = SecretVersionService.method;
      const parent = 'workspaces/default';
      const { secret } = await callUnary(client, createSecret, { parent, secretId: 'g' }, { token });
      const name = secret?.name ?? '';
      const secretVersion = { value: Uint8Array.of(0, 255) };
      await callUnary(client, createSecretVersion, { parent: name, secretVersion }, { token });
      const asked = { name: `${name}/versions/latest` };
      const { value } = await callUnary(client, revealSecretVersionValue, asked, { token });
      assert.deepEqual([...value], [0, 255]);
      const list = await callUnary(client, listSecrets, { parent }, { token });
      assert.deepEqual([list.secrets.map((each) => each.name), list.totalSize], [[name], 1]);
      await assert.rejects(callUnary(client, revealSecretVersionValue, asked, { token: undefined }), {
        code: status.UNAUTHENTICATED,
      });
      const taken = callUnary(client, createSecret, { parent, secretId: 'g' }, { token });
      await assert.rejects(taken, { code: status.ALREADY_EXISTS });
    } finally {
      client.close();
    }
  });

  it('go on while the key of the store is rotated, whose every step a command shows', async () => {
    const before = JSON.parse(await haic.run(['secure-store', 'status', '--json']));
    const current = (await haic.run(['secure-store', 'rotate-key'])).trim();
    assert.notEqual(current, before.current);
    const { keys, left } = JSON.parse(await haic.run(['secure-store', 'status', '--json']));
    assert.deepEqual([keys.map(({ id }: { id: string }) => id), left], [[current], 0]);
    const token = await haic.accessToken('grace');
    const answer = await fetch(
      `${haic.url}/secure-store/v1/workspaces%2Fdefault%2Fsecrets%2Fg%2Fversions%2Flatest:revealValue`,
      { headers: { authorization: `Bearer ${token}` } },
    );
    assert.equal(((await answer.json()) as { value: string }).value, 'AP8=');
  });
});
