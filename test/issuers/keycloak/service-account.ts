import type { KeycloakWorld } from '../world.ts';

/** A machine's account as docs/keycloak.md makes it: a client with a service account, and roles of it. */
export interface KeycloakServiceAccount {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Of the user that Keycloak keeps for it: `sub` of its tokens. */
  readonly subject: string;
  accessToken(): Promise<string>;
  /** What the token endpoint answers to its client. */
  askForToken(form: Record<string, string>): Promise<{ access_token?: string; error?: string }>;
  /** A call of Haic's API with its token. */
  call<T>(
    method: string,
    path: string,
    body?: Buffer | object,
    headers?: HeadersInit,
  ): Promise<{ status: number; body: T }>;
}

export async function addServiceAccount(
  { keycloak, haic, issuer }: KeycloakWorld,
  name: string,
  roles: readonly string[],
  attributes: Readonly<Record<string, string>> = {},
): Promise<KeycloakServiceAccount> {
  const clientId = `haic-sa-${name}`;
  const clientSecret = `the secret of ${name}`;
  await keycloak.admin('POST', 'haic', '/clients', {
    clientId,
    secret: clientSecret,
    publicClient: false,
    serviceAccountsEnabled: true,
    standardFlowEnabled: false,
    directAccessGrantsEnabled: false,
    attributes,
  });
  const [client] = await keycloak.admin<{ id: string }[]>('GET', 'haic', `/clients?clientId=${clientId}`);
  const { id: subject } = await keycloak.admin<{ id: string }>(
    'GET',
    'haic',
    `/clients/${client?.id}/service-account-user`,
  );
  const granted = await Promise.all(roles.map((role) => keycloak.admin('GET', 'haic', `/roles/${role}`)));
  await keycloak.admin('POST', 'haic', `/users/${subject}/role-mappings/realm`, granted);

  const basic = Buffer.from(`${clientId}:${encodeURIComponent(clientSecret)}`).toString('base64');
  const askForToken: KeycloakServiceAccount['askForToken'] = async (form) => {
    const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams(form),
    });
    return (await response.json()) as { access_token?: string; error?: string };
  };
  const accessToken = async () => {
    const answer = await askForToken({ grant_type: 'client_credentials' });
    if (answer.access_token === undefined)
      throw new Error(`${clientId} got no token: ${JSON.stringify(answer)}`);
    return answer.access_token;
  };
  return {
    clientId,
    clientSecret,
    subject,
    accessToken,
    askForToken,
    call: async <T>(method: string, path: string, body?: Buffer | object, headers: HeadersInit = {}) => {
      const isBytes = Buffer.isBuffer(body);
      const response = await fetch(`${haic.url}${path}`, {
        method,
        headers: {
          ...headers,
          authorization: `Bearer ${await accessToken()}`,
          ...(body === undefined
            ? {}
            : { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' }),
        },
        ...(body === undefined ? {} : { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T };
    },
  };
}
