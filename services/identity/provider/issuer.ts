import type { Logger } from '@haic/kit/logging.ts';
import { LRUCache } from 'lru-cache';
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import type { ArtifactStore } from '../artifacts.ts';
import type { IssuerKeys, KeyRing } from '../keys.ts';
import { type ProviderSetup, providerConfiguration } from './configuration.ts';
import { sessionEnd } from './lifetimes.ts';
import { compareHashedSecrets, createNoteOfAccountUse } from './service-accounts.ts';
import { createSlowDown, type SlowDownPolicy } from './slow-down.ts';
import { registerTokenExchange, type TokenExchangeParts } from './token-exchange.ts';

export interface Issuer {
  /** The provider with the keys of now. Ask for it on each use: it is replaced when the keys change. */
  provider(): Provider;
  keys(): IssuerKeys;
  /** Reads the keys again and, when they are others, continues with them. Requests under way end with the old ones. */
  reload(): Promise<void>;
}

export async function createIssuer(options: {
  setup: ProviderSetup;
  keyRing: KeyRing;
  artifacts: ArtifactStore;
  tokenExchange: TokenExchangeParts;
  logger: Logger;
  slowDown?: SlowDownPolicy | undefined;
  /** Runs before the answer is sent, with what the provider knows by then. */
  afterRequest?: (ctx: KoaContextWithOIDC) => Promise<void>;
}): Promise<Issuer> {
  const { setup, keyRing, artifacts, logger } = options;
  const slowDown = createSlowDown(options.slowDown);
  const keepSessionAlive = createKeepAlive(artifacts, logger);
  const noteAccountUse = createNoteOfAccountUse(setup.serviceAccounts, logger);
  await keyRing.ensure();
  let keys = await keyRing.read();
  let provider = build(keys);

  function build(current: IssuerKeys): Provider {
    const made = new Provider(setup.issuer, providerConfiguration(setup, current));
    // Scheme, host and address are set by our own mount (never by the caller), and Koa reads them from these headers.
    made.proxy = true;
    made.use(slowDown);
    made.use(prefillDeviceCode);
    made.use(async (ctx: KoaContextWithOIDC, next: () => Promise<void>) => {
      await next();
      await options.afterRequest?.(ctx);
    });
    made.on('server_error', (_ctx, error) =>
      logger.error({ err: error }, 'The OpenID provider failed on a request.'),
    );
    made.on('grant.success', keepSessionAlive);
    made.on('grant.success', noteAccountUse);
    compareHashedSecrets(made, setup.serviceAccounts);
    registerTokenExchange(made, current, options.tokenExchange);
    return made;
  }

  return {
    provider: () => provider,
    keys: () => keys,
    reload: async () => {
      const fresh = await keyRing.read();
      if (fingerprint(fresh) === fingerprint(keys)) return;
      keys = fresh;
      provider = build(fresh);
      logger.info({ kid: fresh.signing[0]?.kid }, 'The issuer continues with another set of keys.');
    },
  };
}

const fingerprint = (keys: IssuerKeys) =>
  JSON.stringify([keys.signing.map((key) => key.kid), keys.cookies.length, keys.cookies[0]]);

/**
 * The provider answers a link that holds the code with a page that submits itself by script. We show the form with the code filled
 * in instead: it needs no script, and the person compares the code before anything happens.
 */
async function prefillDeviceCode(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  if (ctx.method === 'GET' && ctx.path === '/device' && typeof ctx.query.user_code === 'string') {
    ctx.state.userCode = ctx.query.user_code.slice(0, 20);
    ctx.querystring = '';
  }
  await next();
}

/**
 * Whoever works in an app all day does not visit the issuer; refreshing the app's tokens is use of the session too. Written at most
 * every ten minutes a session. Of a token that outlives sessions the last use is noted, once a minute.
 */
function createKeepAlive(artifacts: ArtifactStore, logger: Logger) {
  const extendedLately = new LRUCache<string, true>({ max: 10_000, ttl: 10 * 60 * 1000 });
  const notedLately = new LRUCache<string, true>({ max: 10_000, ttl: 60 * 1000 });
  const noteUse = (tokenId: string, grantType: unknown): void => {
    if (grantType !== 'refresh_token' || notedLately.has(tokenId)) return;
    notedLately.set(tokenId, true);
    artifacts
      .markUsed('RefreshToken', tokenId)
      .catch((error: unknown) => logger.warn({ err: error }, 'The use of a token could not be noted.'));
  };
  return (ctx: KoaContextWithOIDC): void => {
    const token = ctx.oidc.entities.RefreshToken;
    if (token === undefined) return;
    if (!token.expiresWithSession) {
      noteUse(token.jti, ctx.oidc.params?.grant_type);
      return;
    }
    if (token.sessionUid === undefined) return;
    if (extendedLately.has(token.sessionUid)) return;
    extendedLately.set(token.sessionUid, true);
    artifacts
      .extendSession(token.sessionUid, sessionEnd)
      .catch((error: unknown) => logger.warn({ err: error }, 'A session could not be extended.'));
  };
}
