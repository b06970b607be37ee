import { randomUUID } from 'node:crypto';
import { notFound } from '@haic/kit/errors.ts';
import { importJWK, SignJWT } from 'jose';
import type Provider from 'oidc-provider';
import { launcherGrantType, newGrant, resource, resourceServer, scopes } from './configuration.ts';
import type { Issuer } from './issuer.ts';
import { lifetimes } from './lifetimes.ts';

const scope = scopes.join(' ');

async function clientOf(provider: Provider, clientId: string) {
  const client = await provider.Client.find(clientId);
  if (client === undefined) throw notFound(`Client ${clientId}`);
  return client;
}

/** An access token for a client that acts for a person without a browser: the same shape as one from the token endpoint. */
export async function mintAccessToken(issuer: Issuer, clientId: string, subject: string) {
  const provider = issuer.provider();
  const token = new provider.AccessToken({
    accountId: subject,
    client: await clientOf(provider, clientId),
    // Nothing is stored for a JWT; the grant is named only because the type asks for one.
    grantId: 'none',
    gty: launcherGrantType,
    resourceServer: new provider.ResourceServer(resource, resourceServer),
    scope,
  });
  return { accessToken: await token.save(), expiresIn: lifetimes.accessToken };
}

/** A lasting refresh token (`./haic token`), as the sign-in flow of that client would give. */
export async function issueRefreshToken(issuer: Issuer, clientId: string, subject: string): Promise<string> {
  const provider = issuer.provider();
  const client = await clientOf(provider, clientId);
  const grant = newGrant(provider, subject, clientId);
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    client,
    accountId: subject,
    grantId,
    gty: 'authorization_code',
    authTime: Math.floor(Date.now() / 1000),
    scope,
    resource,
    expiresWithSession: false,
    rotations: 0,
  });
  return token.save();
}

export type LogoutOf = { readonly subject: string; readonly sid: string | undefined } | 'everybody';

/**
 * OpenID Connect Back-Channel Logout 1.0 §2.4. Without a `sid` it ends every session of the subject; of everybody is an event of our own, which
 * the portal alone understands.
 */
export async function signLogoutToken(
  issuer: Issuer,
  to: { clientId: string; of: LogoutOf },
): Promise<string> {
  const signingKey = issuer.keys().signing[0];
  if (signingKey === undefined) throw new Error('The issuer has no signing key.');
  const { of } = to;
  const claims =
    of === 'everybody'
      ? { events: { 'urn:haic:event:everybody-signed-out': {} } }
      : {
          events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
          sub: of.subject,
          ...(of.sid === undefined ? {} : { sid: of.sid }),
        };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: signingKey.kid, typ: 'logout+jwt' })
    .setIssuer(issuer.provider().issuer)
    .setAudience(to.clientId)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('2m')
    .sign(await importJWK(signingKey, 'RS256'));
}
