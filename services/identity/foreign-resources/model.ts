import { invalid } from '@haic/kit/errors.ts';

/**
 * Something that another organisation guards: a service, or an authorization server that turns our word on a person into a token of its own. It
 * wants tokens whose audience it is, and nothing that is good at Haic too.
 */
export interface ForeignResource {
  /** Short, for people and addresses. */
  readonly name: string;
  /** The one `aud` of tokens for it. */
  readonly audience: string;
  readonly description: string;
  /** All that tokens for it may say. */
  readonly scopes: readonly string[];
  /**
   * Ids of the apps whose instances may ask, or `*`. An id is one version of one app as somebody imported it: a name would let in whoever
   * imports another app of that name.
   */
  readonly apps: readonly string[];
  /** Names of service accounts, or `*`. */
  readonly serviceAccounts: readonly string[];
  readonly createdAt: Date;
}

export type ForeignResourceFields = Pick<
  ForeignResource,
  'description' | 'scopes' | 'apps' | 'serviceAccounts'
>;

export const everyClient = '*';
const namePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const audiencePattern = /^[\x21-\x7e]{1,500}$/;
/** RFC 6749 §3.3. */
const scopePattern = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;
const clientPattern = /^[A-Za-z0-9-]{1,64}$/;

export const isResourceName = (name: string): boolean => namePattern.test(name);

export function checkResourceName(raw: string): string {
  const name = raw.trim().toLowerCase();
  if (!isResourceName(name))
    throw invalid(
      'bad_name',
      'The name of a foreign resource has 1 to 63 letters, digits and dashes, and begins and ends with a letter or digit.',
    );
  return name;
}

export const isAudience = (audience: string): boolean =>
  audiencePattern.test(audience) && !audience.includes('#');

/** Never one that Haic's own services or clients answer to: such a token would be good here, or taken for an ID token. */
export function checkAudience(raw: string, publicUrl: string): string {
  const audience = raw.trim();
  if (!isAudience(audience))
    throw invalid('bad_audience', 'An audience is an address or a name of 1 to 500 signs without spaces.');
  const isOurs =
    /^(urn:)?haic(?![a-z0-9])/i.test(audience) ||
    audience === publicUrl ||
    (URL.canParse(audience) && new URL(audience).origin === new URL(publicUrl).origin);
  if (isOurs)
    throw invalid(
      'bad_audience',
      `"${audience.slice(0, 60)}" is Haic itself: no token is exchanged for that.`,
    );
  return audience;
}

export function checkScopes(scopes: readonly string[]): string[] {
  const bad = scopes.find((scope) => !scopePattern.test(scope));
  if (bad !== undefined)
    throw invalid('bad_scope', `"${bad.slice(0, 40)}" is no scope: it has no spaces, quotes or backslashes.`);
  return [...new Set(scopes)].sort();
}

export function checkClients(clients: readonly string[]): string[] {
  const bad = clients.find((client) => client !== everyClient && !clientPattern.test(client));
  if (bad !== undefined)
    throw invalid(
      'bad_client',
      `"${bad.slice(0, 60)}" is no client that may ask: give ids of apps and names of service accounts, or * for all.`,
    );
  return clients.includes(everyClient) ? [everyClient] : [...new Set(clients)].sort();
}
