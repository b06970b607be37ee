import { sleep, until } from '@haic/kit/deadline.ts';
import { HaicError, messageOf, unavailable } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { AuditWriter } from '@haic/services/audit/client.ts';
import { LRUCache } from 'lru-cache';
import {
  endedBy,
  noSuchSource,
  type OAuthClient,
  type TokenSource,
  type Tokens,
  tokenSourceName,
} from './model.ts';
import type { Provider } from './provider.ts';
import type { OAuthStore } from './store.ts';

/** A source with what it has to give just now. */
export interface UsableSource {
  readonly source: TokenSource;
  /** Undefined while a login is required, and where a new one could not be had although the old one is over. */
  readonly accessToken: string | undefined;
  readonly loginRequired: boolean;
}

export interface TokenKeeper {
  /** What is at hand, without asking a provider. */
  atHand(source: TokenSource): Promise<UsableSource>;
  /**
   * With an access token that is good for a while yet: refreshed in time, by one process and one call at a time, however many ask. Throws
   * `provider_unavailable` (503) when the old one is over and the provider cannot be asked.
   */
  fresh(client: OAuthClient, source: TokenSource): Promise<UsableSource>;
  /** Reads what is connected; the answer revokes it at the provider, in the background. */
  toRevoke(client: OAuthClient, source?: TokenSource): Promise<() => void>;
  /** Waits for what is being revoked. */
  settled(): Promise<void>;
}

/** A token is renewed when less than this, or than a third of its life, is left. */
const marginMs = 2 * 60_000;
/** Longer than a call of a provider may take. */
const leaseMs = 25_000;
/** After a provider failed, it is left alone for so long while the old token is good: whoever asks gets that. */
const restMs = 10_000;
/** `google.rpc.Code`. */
const failedPrecondition = 9;
const retryMs = 500;
const mostAtOnce = 4;

export function createTokenKeeper(options: {
  readonly store: OAuthStore;
  readonly providerOf: (client: OAuthClient) => Promise<Provider>;
  readonly audit: AuditWriter;
  readonly logger: Logger;
  readonly now: () => Date;
}): TokenKeeper {
  const { store, providerOf, audit, logger, now } = options;
  const underWay = new Map<string, Promise<TokenSource>>();
  /** Until when, in milliseconds. */
  const resting = new LRUCache<string, number>({ max: 10_000 });
  const revoking = new Set<Promise<void>>();

  const isOver = ({ expiresAt }: TokenSource): boolean => expiresAt !== undefined && expiresAt <= now();
  const isDue = (source: TokenSource): boolean => {
    if (source.expiresAt === undefined || source.issuedAt === undefined) return false;
    const life = source.expiresAt.getTime() - source.issuedAt.getTime();
    return source.expiresAt.getTime() - now().getTime() < Math.min(marginMs, life / 3);
  };

  const atHand = async (read: TokenSource): Promise<UsableSource> => {
    let source = read;
    let tokens = source.connected ? await store.tokensOf(source) : undefined;
    if (source.connected && tokens === undefined) {
      // Replaced since it was read.
      source = await reread(source);
      tokens = await store.tokensOf(source);
    }
    const over = isOver(source);
    const loginRequired = tokens === undefined || (over && tokens.refreshToken === undefined);
    return { source, accessToken: over ? undefined : tokens?.accessToken, loginRequired };
  };

  /** The provider has refused. Nobody need have asked for it just now, so the trail hears of it as well as whoever looks. */
  const end = (client: OAuthClient, source: TokenSource): Promise<void> =>
    store.transaction(async (within) => {
      const message = endedBy(client);
      if (!(await store.endTokens(within, source, { message, at: now() }))) return;
      await audit.record(
        {
          ...{ action: 'actions/securestore/tokenSources/REFRESH', readOnly: false },
          ...{ principal: `users/${source.owner}`, resource: `//secure-store/${tokenSourceName(source)}` },
          status: { code: failedPrecondition, message: `login_required: ${message}` },
        },
        within,
      );
    });

  /** Asks the provider, as the one who holds the lease. */
  async function renew(
    client: OAuthClient,
    source: TokenSource,
    refreshToken: string,
    lease: AbortSignal,
  ): Promise<void> {
    try {
      const provider = await providerOf(client);
      const grant = await provider.refresh(refreshToken);
      await noted(lease, () =>
        grant === undefined ? end(client, source) : store.replaceTokens(source, grant, now()),
      );
    } catch (error) {
      resting.set(keyOf(source), now().getTime() + restMs);
      // Otherwise its lease runs out.
      await store.releaseRefresh(source).catch(() => {});
      if (error instanceof HaicError)
        await store.noteProblem(source, { message: error.message, at: now() }).catch(() => {});
      throw error;
    }
  }

  /** Strict providers take a refresh token once: what came of it must not be lost because the database is just being restarted. */
  async function noted(lease: AbortSignal, write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (lease.aborted) throw error;
        logger.warn(
          { reason: messageOf(error) },
          'What came of renewing tokens could not be written down yet.',
        );
        await sleep(retryMs, lease).catch(() => {});
      }
    }
  }

  /** By one process at a time: the outcome of one is that of all who wait, and what it failed at is tried again only where nothing else helps. */
  async function refresh(
    client: OAuthClient,
    source: TokenSource,
    refreshToken: string,
  ): Promise<TokenSource> {
    const lease = AbortSignal.timeout(leaseMs);
    for (;;) {
      const claimed = await store.claimRefresh(source, new Date(now().getTime() + leaseMs), now());
      if (claimed) await renew(client, source, refreshToken, AbortSignal.timeout(leaseMs - retryMs));
      else await whenLetGo(source, lease);
      const after = await reread(source);
      if (claimed || after.generation !== source.generation || !isOver(source)) return after;
      if (lease.aborted) throw tooSlow();
    }
  }

  /** What became of it since it was read. */
  async function reread({ uid }: TokenSource): Promise<TokenSource> {
    const after = await store.sourceByUid(uid);
    if (after === undefined) throw noSuchSource();
    return after;
  }

  /** The other process has new tokens, has failed, or is dead and its lease over. */
  const whenLetGo = (source: TokenSource, signal: AbortSignal): Promise<boolean> =>
    until(async () => ((await store.isRefreshing(source, now())) ? undefined : true), {
      ...{ everyMs: 100, signal },
    }).catch((error) => {
      if (signal.aborted) return false;
      throw error;
    });

  const fresh: TokenKeeper['fresh'] = async (client, source) => {
    if (!source.connected || !isDue(source)) return atHand(source);
    const refreshToken = (await store.tokensOf(source))?.refreshToken;
    if (refreshToken === undefined) return atHand(source);
    const key = keyOf(source);
    if (!isOver(source) && now().getTime() < (resting.get(key) ?? 0)) return atHand(source);
    const running = underWay.get(key) ?? refresh(client, source, refreshToken);
    if (!underWay.has(key)) {
      underWay.set(key, running);
      running.finally(() => underWay.delete(key)).catch(() => {});
    }
    try {
      return await atHand(await running);
    } catch (error) {
      if (isOver(source) || !(error instanceof HaicError)) throw error;
      logger.warn(
        { client: client.id, reason: error.message },
        'A token could not be refreshed; the old one is good yet.',
      );
      return atHand(source);
    }
  };

  async function revokeAll(client: OAuthClient, all: readonly Tokens[]): Promise<void> {
    try {
      const provider = await providerOf(client);
      for (let at = 0; at < all.length; at += mostAtOnce)
        await Promise.all(all.slice(at, at + mostAtOnce).map((tokens) => provider.revoke(tokens)));
    } catch (error) {
      logger.warn(
        { client: client.id, reason: messageOf(error) },
        'Tokens could not be revoked at their provider.',
      );
    }
  }

  return {
    atHand,
    fresh,
    toRevoke: async (client, only) => {
      const sources = only === undefined ? await connectedOf(store, client) : [only];
      const found: Tokens[] = [];
      for (const source of sources) {
        // With its key lost, nothing is left to revoke by; what it is removed for goes on.
        const tokens = await store.tokensOf(source).catch(() => undefined);
        if (tokens !== undefined) found.push(tokens);
      }
      // Before the client goes: its secret is needed.
      if (found.length > 0) await providerOf(client).catch(() => undefined);
      return () => {
        if (found.length === 0) return;
        const work = revokeAll(client, found).finally(() => revoking.delete(work));
        revoking.add(work);
      };
    },
    settled: async () => {
      await Promise.all(revoking);
    },
  };
}

const keyOf = ({ uid, generation }: TokenSource): string => `${uid} ${generation}`;

const tooSlow = (): HaicError =>
  unavailable('provider_unavailable', 'The token is being renewed, and takes long. Try again in a moment.');

async function connectedOf(store: OAuthStore, client: OAuthClient): Promise<readonly TokenSource[]> {
  const all: TokenSource[] = [];
  const limit = 500;
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const page = await store.connectedSources(client, after, limit);
    all.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return all;
    after = last.uid;
  }
}
