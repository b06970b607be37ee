import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleOf, eventually, killHard, platformProcess, restarted } from '../../faults/support.ts';
import type { KeycloakWorld } from '../world.ts';
import { addServiceAccount, type KeycloakServiceAccount } from './service-account.ts';

/** Dying between two steps that cannot be one: a client is registered at Keycloak, and noted here. */
export function leftBehind(world: () => KeycloakWorld): void {
  /** Keycloak has made the client, and Haic dies before it hears of it. Returns the client's id. */
  async function dieAtRegistration(
    account: KeycloakServiceAccount,
    appId: string,
    key: string,
  ): Promise<string> {
    const { front, haic } = world();
    const before = await platformProcess(haic, 'core');
    const passOn = front.beforeAnswer;
    const known = new Set(await world().appClients());
    let died: Promise<void> | undefined;
    front.beforeAnswer = async ({ method, path, status }) => {
      if (method !== 'POST' || !path.endsWith('/clients-registrations/default') || status !== 201)
        return true;
      died = killHard(haic, ['core']);
      return false;
    };
    const answer = await run(account, appId, key).catch(() => undefined);
    front.beforeAnswer = passOn;
    assert.ok(died !== undefined, `it answered ${JSON.stringify(answer)}`);
    await died;
    await restarted(haic, 'core', before);
    const left = (await world().appClients()).filter((id) => !known.has(id));
    assert.equal(left.length, 1);
    return left[0] ?? '';
  }
  const run = (account: KeycloakServiceAccount, appId: string, key: string) =>
    account.call<{ id: string; code?: string }>(
      'POST',
      `/api/v1/apps/${appId}/instances`,
      {},
      { 'idempotency-key': key },
    );
  const saidLeft = async () =>
    (JSON.parse((await world().haic.cli(['status', '--json'])).stdout) as { leftBehind: string[] })
      .leftBehind;

  const removeAtKeycloak = async (clientId: string) => {
    const { keycloak } = world();
    const [client] = await keycloak.admin<{ id: string }[]>('GET', 'haic', `/clients?clientId=${clientId}`);
    await keycloak.admin('DELETE', 'haic', `/clients/${client?.id}`);
  };
  const accountWithApp = async (name: string) => {
    const account = await addServiceAccount(world(), name, ['user']);
    const { body } = await account.call<{ id: string }>('POST', '/api/v1/apps', bundleOf({ name }));
    return { account, appId: body.id };
  };
  const saysOnly = async (clientIds: readonly string[]) => {
    let said: string[] = [];
    const only = async () => {
      said = await saidLeft();
      return said.join() === clientIds.join() ? true : undefined;
    };
    await eventually(only, 100).catch((cause: unknown) => {
      throw new Error(`It says that these are left behind: ${said.join(', ') || 'none'}`, { cause });
    });
  };

  test('Haic dies after Keycloak registered a client: what nobody uses and Haic cannot remove is said by name, until it is gone', async () => {
    const { account, appId } = await accountWithApp('unlucky');
    const orphan = await dieAtRegistration(account, appId, 'unlucky-start');
    await saysOnly([orphan]);
    await removeAtKeycloak(orphan);
    assert.deepEqual(await saidLeft(), []);
  });

  // A repeated request waits half a minute for the one that died.
  if (process.env.HAIC_TEST_SIZE !== 'full') return;
  test('Haic dies after Keycloak registered a client: the same start again goes on with it', async () => {
    const { account, appId } = await accountWithApp('stubborn');
    const adopted = await dieAtRegistration(account, appId, 'stubborn-start');
    const again = await eventually(async () => {
      const answer = await run(account, appId, 'stubborn-start').catch(() => undefined);
      const later = answer === undefined || answer.status >= 500;
      return later || answer.body.code === 'idempotency_key_in_use' ? undefined : answer;
    });
    assert.equal(again.status, 201, JSON.stringify(again.body));
    assert.equal(`haic-app-${again.body.id}`, adopted);
    await eventually(async () => {
      const { body } = await account.call<{ status: string }>('GET', `/api/v1/instances/${again.body.id}`);
      return body.status === 'DEPLOYED' ? true : undefined;
    });
    await account.call('DELETE', `/api/v1/instances/${again.body.id}`);
    await saysOnly([adopted]);
    await removeAtKeycloak(adopted);
  });
}
