import { createHash } from 'node:crypto';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import type { Adapter, Client, Configuration, KoaContextWithOIDC, ResourceServer } from 'oidc-provider';
import { errors } from 'oidc-provider';
import { sessionIdAt, sessionIdOfGrant } from '../artifacts.ts';
import type { IssuerKeys } from '../keys.ts';
import type { Person } from '../model.ts';
import { renderDeviceConfirm, renderDeviceDone, renderDeviceInput } from '../pages/device.ts';
import { renderProviderError } from '../pages/messages.ts';
import { personClaims } from '../present.ts';
import { isAccountClient } from '../service-accounts/model.ts';
import { signInByHandle } from '../sign-ins.ts';
import { hasLastingTokens, platformClients } from './clients.ts';
import { lifetimes, sessionEnd, tokenLifetimeOf } from './lifetimes.ts';
import { accountClaims, type ServiceAccountClients } from './service-accounts.ts';

/** One audience for all services (design decision 4). The indicator must be a URI; what stands in the token is the audience. */
export const audience = 'haic';
export const resource = 'urn:haic:services';
export const scopes = ['openid', 'profile', 'email', 'groups', 'roles', 'offline_access'] as const;
const allScopes = scopes.join(' ');

export const resourceServer: ResourceServer = {
  audience,
  scope: allScopes,
  accessTokenFormat: 'jwt',
  accessTokenTTL: lifetimes.accessToken,
  jwt: { sign: { alg: 'RS256' } },
};

export interface ProviderSetup {
  readonly publicUrl: string;
  readonly issuer: string;
  readonly portalClientSecret: string;
  readonly serviceClients: Readonly<Record<string, string>>;
  readonly adapter: (model: string) => Adapter;
  /** Undefined also for who is disabled: they get no token of any kind. */
  readonly findActivePerson: (id: string) => Promise<Person | undefined>;
  readonly serviceAccounts: ServiceAccountClients;
}

export function providerConfiguration(setup: ProviderSetup, keys: IssuerKeys): Configuration {
  const publicOrigin = new URL(setup.publicUrl).origin;
  return {
    adapter: setup.adapter,
    jwks: { keys: [...keys.signing] },
    clients: platformClients(setup),
    clientDefaults: { token_endpoint_auth_method: 'client_secret_basic' },
    cookies: {
      keys: [...keys.cookies],
      names: {
        session: 'haic_idp_session',
        interaction: 'haic_idp_interaction',
        resume: 'haic_idp_resume',
      },
      long: { signed: true, httpOnly: true, sameSite: 'lax', path: '/auth' },
      short: { signed: true, httpOnly: true, sameSite: 'lax' },
    },
    routes: keycloakRoutes,
    responseTypes: ['code'],
    scopes: [...scopes],
    extraParams: { scope: keepOfflineAccess },
    claims: {
      openid: ['sub', 'preferred_username', 'name', 'groups', 'realm_access'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
      roles: ['realm_access'],
    },
    // waved reads preferred_username from the ID token and never calls userinfo, so the claims must be in there.
    conformIdTokenClaims: false,
    allowOmittingSingleRegisteredRedirectUri: false,
    clientBasedCORS: (_ctx, origin) => origin === publicOrigin,
    pkce: {
      required: (_ctx, client) =>
        client.clientAuthMethod === 'none' || client.clientId === wellKnownClients.portal,
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      backchannelLogout: { enabled: true },
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: mayRevoke },
      introspection: { enabled: true, allowedPolicy: mayIntrospect },
      rpInitiatedLogout: { enabled: true },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: (ctx, form, _out, error) => renderDeviceInput(ctx, form, error),
        userCodeConfirmSource: (ctx, form, client, _device, code) =>
          renderDeviceConfirm(ctx, form, client, code),
        successSource: (ctx) => renderDeviceDone(ctx),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, indicator) => {
          if (indicator !== resource) throw new errors.InvalidTarget();
          return resourceServer;
        },
      },
    },
    // Clones of one client library, waved and its app all use the same refresh token at once (contracts/authn.md §2).
    rotateRefreshToken: false,
    // Apps ask for openid,profile only, and still need one (contracts/wave-app.md §4).
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async (_ctx, source) => !hasLastingTokens(source.clientId),
    loadExistingGrant: grantOfSession,
    findAccount: async (_ctx, id) => {
      const person = await setup.findActivePerson(id);
      if (person === undefined) return undefined;
      return { accountId: id, claims: async () => personClaims(person) };
    },
    extraTokenClaims: (_ctx, token) => accessTokenClaims(setup, token),
    formats: { customizers: { jwt: finishTokenOfAccount(setup) } },
    interactions: { url: async (_ctx, interaction) => `${setup.issuer}/login/${interaction.uid}` },
    renderError: renderProviderError,
    ttl: {
      AccessToken: lifetimes.accessToken,
      ClientCredentials: lifetimes.accessToken,
      IdToken: lifetimes.idToken,
      AuthorizationCode: lifetimes.authorizationCode,
      Interaction: lifetimes.interaction,
      DeviceCode: lifetimes.deviceCode,
      RefreshToken: (_ctx, token) => tokenLifetimeOf(token.clientId),
      Grant: (_ctx, grant) => tokenLifetimeOf(grant.clientId),
      Session: (_ctx, session) => Math.max(1, sessionEnd(session) - Math.floor(Date.now() / 1000)),
    },
  };
}

/**
 * Offline access that is asked for is granted without `prompt=consent`: nobody is asked for consent here, and every client that may refresh gets a
 * refresh token, which is one of the other conditions that OpenID Connect Core §11 leaves room for. The library drops the scope by then; but what a
 * client is not told that it was granted, it may not name when it refreshes (RFC 6749 §5.1, §6), and clients such as Authlib name what they asked for.
 */
function keepOfflineAccess(ctx: KoaContextWithOIDC, scope: string | undefined, client: Client): void {
  const { params, body } = ctx.oidc;
  const asked = (ctx.method === 'POST' ? body : ctx.query)?.scope;
  if (params === undefined || typeof asked !== 'string' || !client.grantTypeAllowed('refresh_token')) return;
  const granted = (scope ?? '').split(' ').filter((each) => each !== '');
  if (asked.split(' ').includes('offline_access') && !granted.includes('offline_access'))
    params.scope = [...granted, 'offline_access'].join(' ');
}

/** Relative to the issuer; apps hard-code Keycloak's layout. */
const keycloakRoutes = {
  authorization: '/protocol/openid-connect/auth',
  device_authorization: '/protocol/openid-connect/auth/device',
  token: '/protocol/openid-connect/token',
  introspection: '/protocol/openid-connect/token/introspect',
  revocation: '/protocol/openid-connect/revoke',
  userinfo: '/protocol/openid-connect/userinfo',
  jwks: '/protocol/openid-connect/certs',
  end_session: '/protocol/openid-connect/logout',
  code_verification: '/device',
};

/**
 * There is no page of consent: every client is Haic's own. So a grant always exists, and its id follows from the session and the
 * client: two tabs that sign in at one app at the same instant share it, and the refresh tokens of both stay bound to the session.
 */
async function grantOfSession(ctx: KoaContextWithOIDC) {
  const { client, session, account, provider } = ctx.oidc;
  if (client === undefined || session === undefined || account === undefined) return undefined;
  const purpose = hasLastingTokens(client.clientId)
    ? (ctx.oidc.deviceCode?.jti ?? String(ctx.oidc.params?.code_challenge))
    : '';
  const id = createHash('sha256')
    .update(JSON.stringify([session.uid, client.clientId, purpose]))
    .digest('base64url');
  const existing = await provider.Grant.find(id);
  if (existing !== undefined && existing.accountId === account.accountId) return existing;
  const grant = newGrant(provider, account.accountId, client.clientId);
  grant.jti = id;
  await grant.save();
  return grant;
}

/** A grant of all that Haic has: what a client may do is decided by each service from the authorised party, not from scopes. */
export function newGrant(
  provider: KoaContextWithOIDC['oidc']['provider'],
  accountId: string,
  clientId: string,
) {
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(allScopes);
  grant.addResourceScope(resource, allScopes);
  return grant;
}

/** How the launcher of an instance comes to a token of its owner. */
export const launcherGrantType = 'haic_launcher';

type TokenOfAnyKind = Parameters<NonNullable<Configuration['extraTokenClaims']>>[1];

async function accessTokenClaims(setup: ProviderSetup, token: TokenOfAnyKind) {
  const party = { typ: 'Bearer', azp: token.clientId };
  if (!('accountId' in token)) {
    if (!isAccountClient(token.clientId)) return { ...party, preferred_username: token.clientId };
    const account = await setup.serviceAccounts.activeOfClient(token.clientId);
    if (account === undefined) throw new errors.InvalidGrant('this account is disabled or has ended');
    return { ...party, ...accountClaims(account) };
  }
  const person = await setup.findActivePerson(token.accountId);
  if (person === undefined) throw new errors.InvalidGrant('this person may not sign in');
  const { sub: _sub, ...claims } = personClaims(person);
  const sid = sessionIdOf(token);
  return { ...party, ...claims, ...(sid === undefined ? {} : { sid }) };
}

/** Of what the token ends with (`sign-ins.ts`): an exchange and Drive ask whether that has ended. */
function sessionIdOf(token: TokenOfAnyKind): string | undefined {
  if (hasLastingTokens(token.clientId))
    return 'grantId' in token && token.grantId !== undefined ? sessionIdOfGrant(token.grantId) : undefined;
  if ('gty' in token && token.gty === launcherGrantType) return signInByHandle;
  if ('sid' in token && token.sid !== undefined) return token.sid;
  const bound = 'expiresWithSession' in token && token.expiresWithSession === true;
  if (!bound || token.sessionUid === undefined || token.clientId === undefined) return undefined;
  return sessionIdAt(token.sessionUid, token.clientId);
}

type JwtCustomizer = NonNullable<NonNullable<NonNullable<Configuration['formats']>['customizers']>['jwt']>;

/** The provider writes the client's id as `sub` over what our claims say. And no token outlives its account. */
const finishTokenOfAccount =
  (setup: ProviderSetup): JwtCustomizer =>
  async (_ctx, token, { payload }) => {
    if (!isAccountClient(token.clientId)) return;
    const subject = 'extra' in token ? (token.extra as { sub?: unknown } | undefined)?.sub : undefined;
    if (typeof subject === 'string') payload.sub = subject;
    const end = await setup.serviceAccounts.endOf(token.clientId ?? '');
    if (end === undefined || typeof payload.exp !== 'number' || payload.exp <= end) return;
    payload.exp = end;
    // What the answer says of it.
    Object.assign(token, { expiresIn: Math.max(1, end - Math.floor(Date.now() / 1000)) });
  };

/** A client may ask about its own tokens, a service of the platform about all. */
async function mayIntrospect(
  _ctx: KoaContextWithOIDC,
  client: Client,
  token: { clientId?: string | undefined },
) {
  if (client.clientAuthMethod === 'none') return false;
  if (isAccountClient(client.clientId)) return token.clientId === client.clientId;
  return token.clientId === client.clientId || client.grantTypeAllowed('client_credentials');
}

/** Only its own tokens. For another client's the answer is the same as for no token at all (RFC 7009 §2.2). */
async function mayRevoke(_ctx: KoaContextWithOIDC, client: Client, token: { clientId?: string | undefined }) {
  return token.clientId === client.clientId;
}
