import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foreignClient, startForeignProvider } from '@haic/services/identity/brokering/foreign-provider.ts';
import type { BrowserContext, Page } from 'playwright-core';
import { portalApi, type World, withBrowserOf } from './world.ts';

const service = '/api/services/secure-store/v1';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Secrets, workspaces and accounts elsewhere, of people whom this issuer knows. */
export function keeping(world: () => World, ada: () => Page, grace: () => Page): void {
  const by =
    (context: BrowserContext) =>
    async <T = Record<string, unknown>>(method: string, path: string, body?: object): Promise<T> => {
      const answer = await portalApi<T>(world(), context, method, path, body);
      assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    };

  test('a person keeps a secret of their own and reads it', async () => {
    const call = by(ada().context());
    await call('POST', `${service}/workspaces/default/secrets?secretId=own`, {});
    await call('POST', `${service}/workspaces/default/secrets/own/versions`, { value: base64('of ada') });
    const at = `${service}/workspaces/default/secrets/own/versions/latest:revealValue`;
    assert.equal((await call<{ value: string }>('GET', at)).value, base64('of ada'));
    const { status } = await portalApi(world(), grace().context(), 'GET', at);
    assert.equal(status, 404, 'the default workspace of somebody else is another');
  });

  test('a group of the issuer has a role in a workspace: who is in it uses secrets there, and reads them by a higher one', async () => {
    const call = by(grace().context());
    const authz = '/api/services/authz/v1';
    const { workspace } = await call<{ workspace: { name: string } }>('POST', `${authz}/workspaces`, {
      displayName: 'Shared with a group',
    });
    const secrets = `${service}/${workspace.name}/secrets`;
    await call('POST', `${secrets}?secretId=shared`, {});
    await call('POST', `${secrets}/shared/versions`, { value: base64('of the team') });
    const reveal = () =>
      portalApi<{ value: string }>(
        world(),
        ada().context(),
        'GET',
        `${secrets}/shared/versions/latest:revealValue`,
      );
    assert.equal((await reveal()).status, 404);
    const { member } = await call<{ member: { name: string } }>(
      'POST',
      `${authz}/${workspace.name}/members`,
      {
        ...{ member: 'groups/analysts', role: 'ROLE_VIEWER' },
      },
    );
    assert.equal((await reveal()).status, 403);
    await by(ada().context())('GET', `${secrets}/shared`);
    await call('PATCH', `${authz}/${member.name}?updateMask=role`, { role: 'ROLE_EDITOR' });
    const { status, body } = await reveal();
    assert.deepEqual([status, body.value], [200, base64('of the team')]);
    await call('DELETE', `${authz}/${member.name}`);
    assert.equal((await reveal()).status, 404, 'at once');
  });

  test('a person connects an account at another provider, and its token is theirs', async () => {
    const corp = await startForeignProvider([`${world().haic.url}/api/connections/corp/callback`]);
    corp.person = { sub: 'c-1', preferred_username: 'ada.at.corp' };
    try {
      await withBrowserOf(world(), 'root', ({ context }) =>
        by(context)('POST', `${service}/oauthClients?oauthClientId=corp`, {
          ...{ displayName: 'Corp', issuer: corp.issuer },
          ...{ clientId: foreignClient.id, clientSecret: foreignClient.secret },
        }),
      );
      const call = by(ada().context());
      interface Made {
        readonly tokenSource: { readonly loginUri: string; readonly accessToken: string };
      }
      const made = await call<Made>(
        'POST',
        `${service}/oauthClients/corp/tokenSources?tokenSourceId=mine`,
        {},
      );
      await ada().goto(made.tokenSource.loginUri);
      await ada().getByText('Connected with Corp').waitFor();
      const source = `${service}/oauthClients/corp/tokenSources/mine`;
      const { accessToken } = (await call<Made>('GET', source)).tokenSource;
      const guarded = await fetch(`${corp.issuer}/me`, {
        headers: { authorization: `Bearer ${accessToken}` },
      });
      assert.equal(((await guarded.json()) as { sub: string }).sub, 'c-1');
      assert.equal((await portalApi(world(), grace().context(), 'GET', source)).status, 404);
      await call('DELETE', source);
    } finally {
      await corp.stop();
    }
  });
}
