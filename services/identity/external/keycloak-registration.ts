import { HaicError, messageOf, unavailable } from '@haic/kit/errors.ts';
import type { Fetch } from '@haic/kit/http/client.ts';
import type { ClientRegistration, ClientRequest } from './client-registration.ts';

const deadlineMs = 15_000;

/**
 * Keycloak's client registration service (`<issuer>/clients-registrations/default`), which takes the client id from the request. The
 * service account needs the role `create-client` of `realm-management` and no other: with it a client can be made, and nothing that
 * somebody else made be read, changed or removed. Removing needs the token that the registration answered with.
 */
export function createKeycloakRegistration(options: {
  issuer: string;
  fetch: Fetch;
  /** An access token of the service account. */
  serviceToken: () => Promise<string>;
}): ClientRegistration {
  const address = `${options.issuer}/clients-registrations/default`;

  const call = async (url: string, init: RequestInit): Promise<Response> => {
    try {
      return await options.fetch(url, { ...init, signal: AbortSignal.timeout(deadlineMs) });
    } catch (error) {
      throw unavailable(
        'issuer_unavailable',
        `The sign-in service cannot be reached (${messageOf(error)}). Try again in a moment.`,
        { cause: error },
      );
    }
  };

  return {
    register: async (client) => {
      const response = await call(address, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${await options.serviceToken()}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(representationOf(client)),
      });
      if (response.status !== 201)
        throw await refused(response, `register the app's client ${client.clientId}`);
      const { registrationAccessToken } = (await response.json()) as { registrationAccessToken?: unknown };
      if (typeof registrationAccessToken !== 'string')
        throw new HaicError('issuer_answer', 502, 'The sign-in service registered an app without its token.');
      return { registrationToken: registrationAccessToken };
    },

    remove: async (clientId, registrationToken) => {
      const response = await call(`${address}/${encodeURIComponent(clientId)}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${registrationToken}` },
      });
      await response.arrayBuffer();
      // Of a client that is gone its token is no longer valid, either.
      if (response.ok || response.status === 404 || response.status === 401) return;
      throw await refused(response, `remove the app's client ${clientId}`);
    },
  };
}

/**
 * waved sends no PKCE and authenticates by HTTP Basic, Python libraries by form field: Keycloak takes either. An app may exchange tokens that
 * were issued to it (RFC 8693), for the audiences that the realm's administrator opened to its clients by a client scope: for none else.
 */
const representationOf = (client: ClientRequest) => ({
  clientId: client.clientId,
  secret: client.clientSecret,
  name: client.name,
  protocol: 'openid-connect',
  publicClient: false,
  standardFlowEnabled: true,
  implicitFlowEnabled: false,
  directAccessGrantsEnabled: false,
  serviceAccountsEnabled: false,
  consentRequired: false,
  redirectUris: client.redirectUris,
  webOrigins: [],
  attributes: {
    'post.logout.redirect.uris': client.postLogoutRedirectUri,
    'standard.token.exchange.enabled': 'true',
  },
});

async function refused(response: Response, what: string): Promise<HaicError> {
  const body = response.bodyUsed ? '' : (await response.text()).slice(0, 300);
  return new HaicError(
    response.status >= 500 ? 'issuer_answer' : 'client_registration_refused',
    502,
    `The sign-in service would not ${what} (${response.status}).${remedyOf(response.status, body)}`,
    { cause: new Error(body) },
  );
}

function remedyOf(status: number, body: string): string {
  if (status === 401 || status === 403)
    return ' Its client haic-service-core needs the role create-client of realm-management.';
  // Of an installation that is no more, or whose database was set back: it is not Haic's to remove.
  if (body.includes('Client Identifier in use'))
    return ' It has one of that name, of which Haic knows nothing: remove it there.';
  return '';
}
