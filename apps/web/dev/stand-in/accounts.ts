import { text } from 'node:stream/consumers';
import type { ClientPerson, NewClient, OAuthClient } from '../../src/accounts/client-queries.ts';
import type { Account } from '../../src/accounts/queries.ts';
import { type Call, json, matches, page } from './api.ts';
import { notFound, Problem } from './problem.ts';

const hour = 3_600_000;
const ago = (hours: number): string => new Date(Date.now() - hours * hour).toISOString();

function client(id: string, displayName: string, more: Partial<OAuthClient> = {}): OAuthClient {
  return {
    ...{ id, displayName, issuer: `https://${id}.example`, clientId: 'haic', hasSecret: true },
    ...{ authorizationEndpoint: '', tokenEndpoint: '', extraScopes: [], refreshDisabled: false },
    ...{ oidcDisabled: false, loginPrincipalClaim: 'preferred_username' },
    callbackUri: `http://localhost/api/connections/${id}/callback`,
    ...{ createdAt: ago(900), createdBy: 'grace.hopper', updatedAt: null, updatedBy: null },
    ...more,
  };
}

const account = (clientId: string, id: string, more: Partial<Account> = {}): Account => ({
  ...{ client: { id: clientId, displayName: clientId === 'corp' ? 'Corp' : 'Code Hub' }, id },
  ...{ state: 'NOT_CONNECTED', loginPrincipal: '', scopes: ['openid', 'profile', 'offline_access'] },
  ...{ createdAt: ago(50), connectedAt: null, endsAt: null, lastUsedAt: null, problem: null },
  ...more,
});

const connected = { state: 'CONNECTED', connectedAt: ago(49), loginPrincipal: 'ada.at.corp' } as const;

export const sampleAccounts = (): Account[] => [
  account('corp', 'mine', { ...connected, lastUsedAt: ago(3) }),
  account('corp', 'team', {
    ...connected,
    loginPrincipal: 'team',
    endsAt: ago(-2),
    scopes: ['openid', 'profile'],
  }),
  account('hub', 'mine', {
    ...{ state: 'LOGIN_REQUIRED', connectedAt: ago(400), scopes: ['repo', 'read:org'] },
    problem: { message: 'Code Hub no longer renews this access. Log in there again.', at: ago(5) },
  }),
];

export const sampleClients = (): OAuthClient[] => [
  client('corp', 'Corp', { updatedAt: ago(20), updatedBy: 'ada' }),
  client('hub', 'Code Hub', { oidcDisabled: true, extraScopes: ['repo', 'read:org'] }),
];

const people: readonly ClientPerson[] = [
  { subject: 'sub-ada', username: 'ada', accounts: 2 },
  { subject: 'sub-grace', username: 'grace.hopper', accounts: 1 },
];

/** `/api/v1/connected-accounts…` in memory. */
export async function answerAccounts(
  call: Call,
  clientId?: string,
  id?: string,
  verb?: string,
): Promise<void> {
  const { standIn, request, response } = call;
  if (clientId === undefined && request.method === 'POST') {
    const body = JSON.parse(await text(request)) as { client: string; id: string };
    const found = standIn.accounts.find((one) => one.client.id === body.client && one.id === body.id);
    const made = found ?? account(body.client, body.id, { createdAt: ago(0) });
    if (found === undefined) standIn.accounts.push(made);
    return json(response, 201, made);
  }
  if (clientId === undefined) return page(call, standIn.accounts);
  const found = standIn.accounts.find((one) => one.client.id === clientId && one.id === id);
  if (found === undefined) throw notFound('This token source');
  if (verb === 'login') {
    if (standIn.provider === 'away')
      throw new Problem(503, 'provider_unavailable', 'Corp cannot be reached. Try again in a moment.');
    return json(response, 200, { url: `${standIn.url}/provider?account=${clientId}/${id}` });
  }
  if (request.method !== 'DELETE') return json(response, 200, found);
  standIn.accounts = standIn.accounts.filter((one) => one !== found);
  response.writeHead(204).end();
}

/** The pages of another provider, and the address back. */
export function answerProvider({ standIn, response, url }: Omit<Call, 'path'>): void {
  const place = url.searchParams.get('account') ?? '';
  standIn.accounts = standIn.accounts.map((one) => {
    if (`${one.client.id}/${one.id}` !== place) return one;
    if (standIn.provider === 'willing')
      return { ...one, ...connected, connectedAt: ago(0), endsAt: null, problem: null };
    const message = 'Connecting with Corp failed: it said "access denied". Please start again.';
    return { ...one, problem: { message, at: ago(0) } };
  });
  response.writeHead(303, { location: `/connected-accounts?returned=${encodeURIComponent(place)}` }).end();
}

/** `/api/v1/oauth-clients…` in memory. */
export async function answerClients(call: Call, id?: string, sub?: string): Promise<void> {
  const { standIn, request, response, url } = call;
  const isChange = /^(POST|PUT|PATCH)$/.test(request.method ?? '');
  if (request.method !== 'GET' && !standIn.me.isAdmin)
    throw new Problem(403, 'not_allowed', 'OAuth clients are made and changed by administrators.');
  const body = isChange ? (JSON.parse(await text(request)) as Partial<NewClient>) : {};
  const { clientSecret, ...settings } = body;
  if (clientSecret !== undefined) standIn.clientSecrets.push(clientSecret);
  if (id === undefined && isChange) {
    if (standIn.clients.some((one) => one.id === body.id))
      throw new Problem(
        409,
        'oauth_client_exists',
        `There is an OAuth client "${body.id}" already. Choose another id.`,
      );
    const made = client(body.id ?? 'made', '', {
      ...settings,
      hasSecret: clientSecret !== '',
      createdBy: 'ada',
    });
    standIn.clients.push(made);
    return json(response, 201, made);
  }
  if (id === undefined) {
    const query = url.searchParams.get('query') ?? '';
    return page(
      call,
      standIn.clients.filter((one) => matches(query, one.id, one.displayName, one.issuer)),
    );
  }
  const found = standIn.clients.find((one) => one.id === id);
  if (found === undefined) throw notFound('This OAuth client');
  if (sub === 'people') {
    const items = id === 'corp' ? people : [];
    return json(response, 200, { items, total: items.length });
  }
  if (request.method === 'DELETE') {
    standIn.clients = standIn.clients.filter((one) => one !== found);
    standIn.accounts = standIn.accounts.filter((one) => one.client.id !== id);
    response.writeHead(204).end();
    return;
  }
  const changed = { ...found, ...settings, updatedAt: ago(0), updatedBy: 'ada' };
  standIn.clients = standIn.clients.map((one) => (one === found ? changed : one));
  json(response, 200, changed);
}
