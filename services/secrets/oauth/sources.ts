import { conflict, invalid } from '@haic/kit/errors.ts';
import { cutPage } from '@haic/kit/http/paging.ts';
import type { AuditedAction, AuditWriter } from '@haic/services/audit/client.ts';
import { type Caller, recordOf } from '../caller.ts';
import { checkedId } from '../model.ts';
import { anyId, type Page, placeOf } from '../pages.ts';
import {
  checkedRedirectUri,
  noSuchClient,
  noSuchSource,
  type OAuthClient,
  readClientName,
  readSourceName,
  type SourcePlace,
  type TokenSource,
  tokenSourceName,
} from './model.ts';
import type { OAuthStore } from './store.ts';
import type { TokenKeeper, UsableSource } from './tokens.ts';

export type TokenSourcesService = ReturnType<typeof createTokenSourcesService>;

/** As its owner sees it. */
export interface ShownSource extends UsableSource {
  readonly loginUri: string;
}

const mostSources = 100;

/** Each call finds what its caller made and nothing else: who may, is whose it is. */
export function createTokenSourcesService(options: {
  readonly store: OAuthStore;
  readonly tokens: TokenKeeper;
  readonly audit: AuditWriter;
  readonly loginUriOf: (secret: string) => string;
  /** Throws 429. */
  readonly countReveal: (subject: string) => void;
  readonly now: () => Date;
}) {
  const { store, tokens, audit, loginUriOf, countReveal, now } = options;

  const clientNamed = async (id: string): Promise<OAuthClient> => {
    const client = await store.findClient(id);
    if (client === undefined) throw noSuchClient();
    return client;
  };
  const find = async (
    caller: Caller,
    name: string,
  ): Promise<{ client: OAuthClient; source: TokenSource }> => {
    const { client: clientId, id } = readSourceName(name);
    const source = await store.findSource(clientId, caller.principal.subject, id);
    if (source === undefined) throw noSuchSource();
    return { client: await clientNamed(clientId), source };
  };
  const show = async (usable: UsableSource): Promise<ShownSource> => ({
    ...usable,
    loginUri: loginUriOf(await store.loginSecret(usable.source)),
  });
  /** Also at its provider, as far as that can be reached. False when it is gone already. */
  const forget = async (client: OAuthClient, source: TokenSource, told: AuditedAction): Promise<boolean> => {
    const revoke = source.connected ? await tokens.toRevoke(client, source) : () => {};
    const removed = await store.transaction(async (within) => {
      if (!(await store.removeSource(within, source))) return false;
      await audit.record(told, within);
      return true;
    });
    if (removed) revoke();
    return removed;
  };
  const record = (caller: Caller, action: string, source: SourcePlace) =>
    recordOf(caller, action, tokenSourceName(source));

  return {
    /** `uid` is the new one's; of an earlier try the answer is what that made. */
    create: async (
      caller: Caller,
      parent: string,
      askedId: string,
      redirectUri: string | ((id: string) => string),
      uid?: string,
    ): Promise<ShownSource> => {
      const client = await clientNamed(readClientName(parent));
      const id = checkedId('a token source', askedId);
      const owner = caller.principal.subject;
      const before = uid === undefined ? undefined : await store.sourceByUid(uid);
      if (before !== undefined) return show(await tokens.atHand(before));
      const target = checkedRedirectUri(typeof redirectUri === 'string' ? redirectUri : redirectUri(id));
      const wanted = { client, id, uid, owner, redirectUri: target, createdAt: now() };
      if ((await store.countSources(client, owner)) >= mostSources) throw tooManySources();
      return store.sealing(async (within, vault) => {
        const source = await store.insertSource(within, vault, wanted);
        if (source === undefined) throw taken(id);
        await audit.record(record(caller, 'actions/securestore/tokenSources/CREATE', source), within);
        const loginUri = loginUriOf(await store.loginSecret(source, within, vault));
        return { source, accessToken: undefined, loginRequired: true, loginUri };
      });
    },

    /** The token leaves only after the trail has it durably who got it. */
    get: async (caller: Caller, name: string): Promise<ShownSource> => {
      const { client, source } = await find(caller, name);
      countReveal(caller.principal.subject);
      const usable = await tokens.fresh(client, source);
      if (usable.accessToken !== undefined) {
        await audit.record(record(caller, 'actions/securestore/tokenSources/GET', source));
        await store.noteUse([source], now());
      }
      return show(usable);
    },

    /** With the tokens that are at hand: one of many providers that is away keeps nobody from seeing what there is. */
    list: async (
      caller: Caller,
      asked: Page & { readonly parent: string },
    ): Promise<{ sources: readonly ShownSource[]; nextPageToken: string }> => {
      const { limit, after } = placeOf(asked, anyId);
      const client = await clientNamed(readClientName(asked.parent));
      const found = await store.listSources(client, caller.principal.subject, { after, limit: limit + 1 });
      const { page, next } = cutPage(found, limit, ({ id }) => [id]);
      const usable = await Promise.all(page.map(tokens.atHand));
      const given = usable.filter(({ accessToken }) => accessToken !== undefined);
      if (given.length > 0) countReveal(caller.principal.subject);
      for (const { source } of given)
        await audit.record(record(caller, 'actions/securestore/tokenSources/GET', source));
      if (given.length > 0)
        await store.noteUse(
          given.map(({ source }) => source),
          now(),
        );
      return { sources: await Promise.all(usable.map(show)), nextPageToken: next.nextPageToken ?? '' };
    },

    remove: async (caller: Caller, name: string): Promise<void> => {
      const { client, source } = await find(caller, name);
      if (!(await forget(client, source, record(caller, 'actions/securestore/tokenSources/DELETE', source))))
        throw noSuchSource();
    },

    /** All that somebody connected who is gone for good: nobody else may have it. */
    removeOf: async (owner: string): Promise<void> => {
      for (const source of await store.sourcesOf(owner)) {
        const client = await store.findClient(source.client.id);
        if (client === undefined) continue;
        await forget(client, source, {
          action: 'actions/securestore/tokenSources/DELETE',
          readOnly: false,
          principal: 'services/secure-store',
          resource: `//secure-store/${tokenSourceName(source)}`,
          metadata: { owner, reason: 'person_gone' },
        });
      }
    },
  };
}

const taken = (id: string) =>
  conflict(
    'token_source_exists',
    `You have a token source "${id}" there already. Choose another id, or use that one.`,
  );
const tooManySources = () =>
  invalid(
    'failed_precondition',
    `At one provider one may have ${mostSources} token sources. Delete some first.`,
  );
