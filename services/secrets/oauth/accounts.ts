import { cutPage } from '@haic/kit/http/paging.ts';
import type { Caller } from '../caller.ts';
import { anyId } from '../pages.ts';
import type { Logins, LoginUnderWay } from './login.ts';
import {
  noSuchSource,
  type OAuthClient,
  oauthClientName,
  type SourcePlace,
  type TokenSource,
  tokenSourceName,
} from './model.ts';
import { scopesOf } from './provider.ts';
import type { TokenSourcesService } from './sources.ts';
import type { OAuthStore } from './store.ts';
import type { TokenKeeper } from './tokens.ts';

export type AccountsService = ReturnType<typeof createAccountsService>;

/** `NOT_CONNECTED` until the first login; `LOGIN_REQUIRED` once there was one and its tokens are over. */
export type AccountState = 'NOT_CONNECTED' | 'CONNECTED' | 'LOGIN_REQUIRED';

/** A token source for pages: what there is, and how it stands. No token leaves for it, and so there is nothing to tell the trail. */
export interface Account {
  readonly source: TokenSource;
  readonly state: AccountState;
  /** What Haic asks for at the provider. */
  readonly scopes: readonly string[];
}

/** A person's accounts at other providers, as the portal shows them. */
export function createAccountsService(options: {
  readonly store: OAuthStore;
  readonly tokens: TokenKeeper;
  readonly sources: TokenSourcesService;
  readonly logins: Logins;
  /** Where browsers go after a login that did not begin at the portal. */
  readonly pageOf: (place: SourcePlace) => string;
  readonly now: () => Date;
}) {
  const { store, tokens, sources, logins, pageOf, now } = options;

  /** One's own and nobody else's: who may, is whose it is. */
  const find = async (caller: Caller, { client, id }: SourcePlace): Promise<TokenSource> => {
    if (!anyId.test(client.id) || !anyId.test(id)) throw noSuchSource();
    const source = await store.findSource(client.id, caller.principal.subject, id);
    if (source === undefined) throw noSuchSource();
    return source;
  };

  const stateOf = async (source: TokenSource): Promise<AccountState> => {
    if (!source.connected) return source.loginAt === undefined ? 'NOT_CONNECTED' : 'LOGIN_REQUIRED';
    const isOver = source.expiresAt !== undefined && source.expiresAt <= now();
    if (!isOver || source.renewable === true) return 'CONNECTED';
    // Connected before it was noted whether it can be renewed: only its tokens know.
    const isLost = source.renewable === false || (await tokens.atHand(source)).loginRequired;
    return isLost ? 'LOGIN_REQUIRED' : 'CONNECTED';
  };

  const describe = async (found: readonly TokenSource[]): Promise<readonly Account[]> => {
    const clients = await store.clientsOf([...new Set(found.map(({ client }) => client.uid))]);
    const byUid = new Map<string, OAuthClient>(clients.map((client) => [client.uid, client]));
    return Promise.all(
      found.map(async (source) => {
        const client = byUid.get(source.client.uid);
        return {
          ...{ source, state: await stateOf(source) },
          scopes: client === undefined ? [] : scopesOf(client),
        };
      }),
    );
  };

  const get = async (caller: Caller, place: SourcePlace): Promise<Account> => {
    const [account] = await describe([await find(caller, place)]);
    if (account === undefined) throw noSuchSource();
    return account;
  };

  return {
    get,

    /** One's own at every provider, by client and id. */
    list: async (
      caller: Caller,
      { after, limit }: { readonly after: SourcePlace | undefined; readonly limit: number },
    ): Promise<{ accounts: readonly Account[]; next: { nextPageToken?: string } }> => {
      const found = await store.listAccounts(caller.principal.subject, { after, limit: limit + 1 });
      const { page, next } = cutPage(found, limit, ({ client, id }) => [client.id, id]);
      return { accounts: await describe(page), next };
    },

    /** Not connected yet: its login is to follow. An empty id has one made. */
    create: async (caller: Caller, { client, id }: SourcePlace, uid?: string): Promise<Account> => {
      const parent = oauthClientName(client);
      const { source } = await sources.create(
        caller,
        parent,
        id,
        (made) => pageOf({ client, id: made }),
        uid,
      );
      return get(caller, source);
    },

    login: async (caller: Caller, place: SourcePlace): Promise<LoginUnderWay> =>
      logins.beginAtPortal(caller, await find(caller, place)),

    remove: (caller: Caller, place: SourcePlace): Promise<void> =>
      sources.remove(caller, tokenSourceName(place)),
  };
}
