import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { Keycloak } from '../support/keycloak.ts';

/** Another organisation: a Keycloak realm that takes Haic's word on people it knows, and a resource that takes tokens of that realm alone. */
export interface Partner {
  readonly issuer: string;
  readonly client: { readonly id: string; readonly secret: string };
  readonly resource: string;
  /** Somebody there, and who that is at Haic: its `sub`. */
  know(person: { username: string; name: { first: string; last: string }; subject: string }): Promise<void>;
  stop(): Promise<void>;
}

const realm = 'partner';
const alias = 'haic';
const audience = 'partner-data';

/** Follows docs/foreign-resources.md. */
export async function startPartner(keycloak: Keycloak, haicIssuer: string): Promise<Partner> {
  const issuer = keycloak.issuer(realm);
  const client = { id: 'haic-partner-data', secret: 'known to the app and the partner' };
  await keycloak.importRealm({ realm, enabled: true, sslRequired: 'external' });
  await keycloak.admin('POST', realm, '/identity-provider/instances', {
    alias,
    providerId: 'jwt-authorization-grant',
    enabled: true,
    config: {
      issuer: haicIssuer,
      useJwksUrl: 'true',
      jwksUrl: `${haicIssuer}/protocol/openid-connect/certs`,
      jwtAuthorizationGrantEnabled: 'true',
      jwtAuthorizationGrantAssertionSignatureAlg: 'RS256',
    },
  });
  await keycloak.admin('POST', realm, '/clients', {
    clientId: client.id,
    secret: client.secret,
    publicClient: false,
    standardFlowEnabled: false,
    directAccessGrantsEnabled: false,
    attributes: {
      'oauth2.jwt.authorization.grant.enabled': 'true',
      'oauth2.jwt.authorization.grant.idp': alias,
    },
    protocolMappers: [
      {
        name: 'audience',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-audience-mapper',
        config: { 'included.custom.audience': audience, 'access.token.claim': 'true' },
      },
    ],
  });
  const resource = await startResource(issuer);
  return {
    issuer,
    client,
    resource: resource.url,
    know: async ({ username, name, subject }) => {
      const id = await keycloak.addUser(realm, { username, name, password: 'of no use here' });
      await keycloak.admin('POST', realm, `/users/${id}/federated-identity/${alias}`, {
        userId: subject,
        userName: username,
      });
    },
    stop: resource.stop,
  };
}

/** Knows its realm and nothing of Haic: answers who the bearer of one of its tokens is, and others with 401. */
async function startResource(issuer: string): Promise<{ url: string; stop(): Promise<void> }> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/protocol/openid-connect/certs`));
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    response.setHeader('content-type', 'application/json');
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, audience });
      response.end(
        JSON.stringify({ name: payload.name, account: payload.preferred_username, client: payload.azp }),
      );
    } catch {
      response.writeHead(401).end('{"error":"invalid_token"}');
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/me`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
