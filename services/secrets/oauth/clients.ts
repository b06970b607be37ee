import { conflict } from '@haic/kit/errors.ts';
import { cutPage } from '@haic/kit/http/paging.ts';
import type { AuditWriter } from '@haic/services/audit/client.ts';
import { type Caller, principalName, recordOf } from '../caller.ts';
import { checkedId } from '../model.ts';
import { anyId, type Page, placeOf } from '../pages.ts';
import { mayChangeOAuthClients } from '../policy.ts';
import {
  type ClientChanges,
  type ClientSettings,
  checkedChanges,
  checkedClientSecret,
  checkedSettings,
  noSuchClient,
  type OAuthClient,
  oauthClientName,
  readClientName,
} from './model.ts';
import type { SourceOwner } from './source-store.ts';
import type { OAuthStore } from './store.ts';
import type { TokenKeeper } from './tokens.ts';

export type OAuthClientsService = ReturnType<typeof createOAuthClientsService>;

/** Of whichever issuer. */
const anySubject = /^[^\0]{1,300}$/u;
const endedByAdministrator = 'An administrator ended this access for everybody. Log in there again.';

export function createOAuthClientsService(options: {
  readonly store: OAuthStore;
  readonly tokens: TokenKeeper;
  readonly audit: AuditWriter;
  readonly now: () => Date;
}) {
  const { store, tokens, audit, now } = options;

  const administer = (caller: Caller, action: string, name: string) => {
    const decision = mayChangeOAuthClients(caller.principal);
    if (!decision.allowed) throw decision.error;
    return recordOf(caller, action, name);
  };

  const find = async (name: string): Promise<OAuthClient> => {
    const client = await store.findClient(readClientName(name));
    if (client === undefined) throw noSuchClient();
    return client;
  };

  return {
    /** `uid` is the new one's; of an earlier try the answer is what that made. */
    create: async (
      caller: Caller,
      askedId: string,
      wanted: ClientSettings,
      uid?: string,
    ): Promise<OAuthClient> => {
      const id = checkedId('an OAuth client', askedId);
      const record = administer(caller, 'actions/securestore/oauthClients/CREATE', oauthClientName({ id }));
      const settings = checkedSettings(wanted);
      const [before] = uid === undefined ? [] : await store.clientsOf([uid]);
      if (before !== undefined) return before;
      return store.sealing(async (within, vault) => {
        const made = { ...settings, id, uid, creator: principalName(caller), createdAt: now() };
        const client = await store.insertClient(within, vault, made);
        if (client === undefined) throw taken(id);
        await audit.record(record, within);
        return client;
      });
    },

    get: (name: string): Promise<OAuthClient> => find(name),

    list: async ({
      query = '',
      ...asked
    }: Page & { readonly query?: string }): Promise<{
      clients: readonly OAuthClient[];
      nextPageToken: string;
    }> => {
      const { limit, after } = placeOf(asked, anyId);
      const found = await store.listClients({ after, limit: limit + 1, query });
      const { page, next } = cutPage(found, limit, ({ id }) => [id]);
      return { clients: page, nextPageToken: next.nextPageToken ?? '' };
    },

    /** What is left out stays. */
    update: async (caller: Caller, name: string, wanted: Partial<ClientChanges>): Promise<OAuthClient> => {
      const record = administer(caller, 'actions/securestore/oauthClients/UPDATE', name);
      const client = await find(name);
      const changes = checkedChanges({ ...client, ...wanted });
      return store.transaction(async (within) => {
        const by = { by: principalName(caller), at: now() };
        const changed = await store.updateClient(within, client, changes, by);
        if (changed === undefined) throw noSuchClient();
        await audit.record(record, within);
        return changed;
      });
    },

    /** For a secret that was changed at the provider; an empty one is none. */
    replaceSecret: async (caller: Caller, name: string, wanted: string): Promise<OAuthClient> => {
      const record = await administer(caller, 'actions/securestore/oauthClients/REPLACESECRET', name);
      const client = await find(name);
      const secret = checkedClientSecret(wanted);
      return store.sealing(async (within, vault) => {
        const by = { by: principalName(caller), at: now() };
        const changed = await store.replaceSecret(within, vault, client, secret, by);
        if (changed === undefined) throw noSuchClient();
        await audit.record(record, within);
        return changed;
      });
    },

    /** Whom its end would concern. */
    peopleOf: async (
      caller: Caller,
      name: string,
      asked: Page,
    ): Promise<{ people: readonly SourceOwner[]; total: number; nextPageToken: string }> => {
      const { limit, after } = placeOf(asked, anySubject);
      await administer(caller, 'actions/securestore/oauthClients/LIST', name);
      const client = await find(name);
      const found = await store.ownersAt(client, { after, limit: limit + 1 });
      const { page, next } = cutPage(found, limit, ({ subject }) => [subject]);
      const total = await store.countOwnersAt(client);
      return { people: page, total, nextPageToken: next.nextPageToken ?? '' };
    },

    /** With all its token sources. What is revoked at the provider is so as far as it goes; here it is gone in any case. */
    remove: async (caller: Caller, name: string): Promise<void> => {
      const record = administer(caller, 'actions/securestore/oauthClients/DELETE', name);
      const client = await find(name);
      const revoke = await tokens.toRevoke(client);
      await store.transaction(async (within) => {
        if (!(await store.removeClient(within, client))) throw noSuchClient();
        await audit.record(record, within);
      });
      revoke();
    },

    invalidateTokenSources: async (caller: Caller, name: string): Promise<void> => {
      const record = administer(caller, 'actions/securestore/oauthClients/INVALIDATETOKENSOURCES', name);
      const client = await find(name);
      const revoke = await tokens.toRevoke(client);
      await store.transaction(async (within) => {
        await store.forgetTokens(within, client, { message: endedByAdministrator, at: now() });
        await audit.record(record, within);
      });
      revoke();
    },
  };
}

const taken = (id: string) =>
  conflict('oauth_client_exists', `There is an OAuth client "${id}" already. Choose another id.`);
