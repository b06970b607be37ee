import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { bundleOf } from '../../faults/support.ts';
import type { KeycloakWorld } from '../world.ts';
import { addServiceAccount } from './service-account.ts';

/** "Everything that a person may be granted, a service account may be": here they are clients of Keycloak's. */
export function serviceAccounts(world: () => KeycloakWorld): void {
  test('a pipeline imports and runs an app with client credentials of Keycloak, on the command line', async () => {
    const { haic, issuer } = world();
    const account = await addServiceAccount(world(), 'pipeline', ['user']);
    const bundle = path.join(haic.home, 'from-pipeline.wave');
    await writeFile(bundle, bundleOf({ name: 'from-pipeline' }));
    // No settings file and nobody signed in: the environment is all that there is.
    const env = {
      HAIC_CLIENT_ID: account.clientId,
      HAIC_CLIENT_SECRET: account.clientSecret,
      H2O_CLOUD_ENVIRONMENT: haic.url,
      HOME: haic.home,
    };
    const imported = await haic.run(['app', 'import', bundle, '-v', 'ALL_USERS'], { env });
    const appId = /^ID\s+(\S+)/im.exec(imported)?.[1] ?? imported.trim().split(/\s/).at(-1) ?? '';
    await haic.run(['app', 'run', appId], { env });
    type Instances = {
      items: { id: string; status: string; owner: { subject: string; username: string } }[];
    };
    const running = async () => {
      const { body } = await account.call<Instances>('GET', '/api/v1/instances');
      return body.items.find(({ status }) => status === 'DEPLOYED');
    };
    const instance = await until(running, { everyMs: 250, signal: deadline(60_000) });
    assert.deepEqual(instance.owner, {
      subject: account.subject,
      username: `service-account-${account.clientId}`,
    });
    assert.match(await haic.run(['instance', 'list'], { env }), new RegExp(instance.id));
    // Its roles are Keycloak's, and what it may as a machine is the same table as elsewhere.
    assert.equal((await account.call('GET', '/api/v1/people/pipeline/belongings')).status, 403);
    const people = await haic.cli(['service-account', 'list']);
    assert.equal(people.code, 1);
    assert.ok(people.stderr.includes(issuer), people.stderr);
    await account.call('DELETE', `/api/v1/instances/${instance.id}`);
  });

  // The same look at owners as of people, who are tried in every size.
  if (process.env.HAIC_TEST_SIZE !== 'full') return;
  test('one that is removed at Keycloak is as one who is disabled: what it runs is paused', async () => {
    const account = await addServiceAccount(world(), 'leaving', ['user', 'admin']);
    const imported = await account.call<{ id: string }>('POST', '/api/v1/apps', bundleOf({ name: 'left' }));
    assert.equal(imported.status, 201, JSON.stringify(imported.body));
    const run = await account.call<{ id: string }>('POST', `/api/v1/apps/${imported.body.id}/instances`, {});
    assert.equal(run.status, 201, JSON.stringify(run.body));
    const other = await addServiceAccount(world(), 'looking', ['admin']);
    const becomes = (status: string, withinMs: number) =>
      until(
        async () => {
          const { body } = await other.call<{ status: string }>('GET', `/api/v1/instances/${run.body.id}`);
          return body.status === status ? true : undefined;
        },
        { everyMs: 250, signal: deadline(withinMs) },
      );
    await becomes('DEPLOYED', 60_000);
    const { keycloak } = world();
    const [client] = await keycloak.admin<{ id: string }[]>(
      'GET',
      'haic',
      `/clients?clientId=${account.clientId}`,
    );
    await keycloak.admin('DELETE', 'haic', `/clients/${client?.id}`);
    await becomes('SUSPENDED', 30_000);
  });
}
