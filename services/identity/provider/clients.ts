import { appClientPrefix, wellKnownClients } from '@haic/kit/auth/principal.ts';
import type { ClientMetadata } from 'oidc-provider';
import type { AppClient } from '../model.ts';

export const appClientIdOf = (instanceId: string) => `${appClientPrefix}${instanceId}`;

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
export const tokenExchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';

/**
 * Clients whose refresh tokens outlive the session they were made in (Keycloak's "offline" tokens): the platform token and the CLI's.
 * Each such token has a grant of its own, so that revoking one leaves the others.
 */
export const lastingClients: readonly string[] = [wellKnownClients.platform, wellKnownClients.cli];
export const hasLastingTokens = (clientId: string | undefined): boolean =>
  clientId !== undefined && lastingClients.includes(clientId);

/** The clients that every installation has. */
export function platformClients(options: {
  publicUrl: string;
  portalClientSecret: string;
  serviceClients: Readonly<Record<string, string>>;
}): ClientMetadata[] {
  const { publicUrl } = options;
  const publicClient = (clientId: string, name: string, callback: string): ClientMetadata => ({
    client_id: clientId,
    client_name: name,
    redirect_uris: [`${publicUrl}${callback}`],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token', deviceGrant],
    token_endpoint_auth_method: 'none',
  });
  const portal: ClientMetadata = {
    client_id: wellKnownClients.portal,
    client_secret: options.portalClientSecret,
    client_name: 'Haic',
    redirect_uris: [`${publicUrl}/oauth2/callback`],
    post_logout_redirect_uris: [publicUrl, `${publicUrl}/`, `${publicUrl}/logout`],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    backchannel_logout_uri: backchannelLogoutUri(publicUrl),
    backchannel_logout_session_required: true,
  };
  const services = Object.entries(options.serviceClients).map(
    ([clientId, clientSecret]): ClientMetadata => ({
      client_id: clientId,
      client_secret: clientSecret,
      client_name: clientId,
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
    }),
  );
  return [
    portal,
    publicClient(wellKnownClients.platform, 'Platform token', '/auth/get-platform-token/callback'),
    publicClient(wellKnownClients.cli, 'Command line', '/auth/get-token/callback'),
    ...services,
  ];
}

/** waved sends no PKCE and authenticates by HTTP Basic, Python libraries by form field: the provider takes either. */
export const appClientMetadata = (client: AppClient) => ({
  client_id: client.clientId,
  client_secret: client.clientSecret,
  client_name: client.name,
  redirect_uris: [client.redirectUri],
  post_logout_redirect_uris: [client.postLogoutRedirectUri],
  response_types: ['code' as const],
  grant_types: ['authorization_code', 'refresh_token', tokenExchangeGrant],
});

export const backchannelLogoutUri = (publicUrl: string) => `${publicUrl}/oauth2/backchannel-logout`;
