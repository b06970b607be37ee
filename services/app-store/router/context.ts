import type { IncomingMessage } from 'node:http';
import type { Logger } from '@haic/kit/logging.ts';
import type { Upstream } from '@haic/kit/proxy/upstream.ts';
import { traceHeadersOf } from '@haic/kit/telemetry/answering.ts';
import type { Meter } from '@haic/kit/telemetry/meter.ts';
import { requestIdHeader, requestIdOf } from '@haic/kit/telemetry/request-id.ts';
import type { Tracer } from '@haic/kit/telemetry/tracer.ts';
import type { BearerTokens } from './app/bearer.ts';
import type { CookieJar } from './cookies.ts';
import type { Hosts } from './hosts.ts';
import type { LiveConnections } from './live-connections.ts';
import type { RoutesTable } from './routes-table.ts';
import type { FreshTokens } from './sessions/fresh-tokens.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { AppGrants } from './sign-in/app-grants.ts';
import type { Issuer } from './sign-in/issuer.ts';
import type { OneTimeTokens } from './sign-in/one-time-tokens.ts';
import type { Transactions } from './sign-in/transaction.ts';
import type { Telling } from './telling.ts';
import type { Tickets } from './tickets/tickets.ts';

/** What the handlers of one router work with. */
export interface RouterContext {
  readonly hosts: Hosts;
  readonly jar: CookieJar;
  readonly sessions: Sessions;
  readonly freshTokens: FreshTokens;
  readonly bearerTokens: BearerTokens;
  readonly issuer: Issuer;
  readonly transactions: Transactions;
  readonly oneTimeTokens: OneTimeTokens;
  readonly tickets: Tickets;
  /** Only where the issuer is not Haic's own. */
  readonly appGrants: AppGrants | undefined;
  readonly routes: RoutesTable;
  readonly live: LiveConnections;
  readonly core: Upstream;
  /** Whether X-Forwarded-For of who connects to us is believed. */
  readonly trustForwardedFor: boolean;
  readonly telling: Telling;
  readonly logger: Logger;
  readonly meter: Meter | undefined;
  readonly tracer: Tracer | undefined;
  readonly servicePrefixes: readonly string[];
  /** Where the portal's page gets and brings the bytes of objects. */
  readonly objectsOrigin: string | undefined;
}

const addresses = new WeakMap<object, string>();

/** The address of the client, as text that names one peer. */
export function clientAddress(
  { trustForwardedFor }: Pick<RouterContext, 'trustForwardedFor'>,
  request: IncomingMessage,
): string {
  const forwarded = request.headers['x-forwarded-for'];
  if (trustForwardedFor && forwarded !== undefined) {
    const last = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded).split(',').at(-1)?.trim();
    if (last !== undefined && /^[0-9a-f.:]+$/i.test(last)) return last;
  }
  // Asking a socket for its peer is a system call each time.
  const known = addresses.get(request.socket);
  if (known !== undefined) return known;
  const address = (request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '');
  addresses.set(request.socket, address);
  return address;
}

/** The X-Forwarded-* headers that whatever is behind us gets, instead of what the client sent under these names. */
export const forwardedHeaders = (
  context: RouterContext,
  request: IncomingMessage,
  host: string,
): string[] => [
  'x-forwarded-for',
  clientAddress(context, request),
  'x-forwarded-proto',
  context.hosts.secure ? 'https' : 'http',
  'x-forwarded-host',
  host,
];

/** What core gets beside them, so that one id leads through the logs of both, and one trace through their work. */
export const requestIdHeaders = (request: IncomingMessage): string[] => [
  requestIdHeader,
  requestIdOf(request),
  ...traceHeadersOf(request),
];

const claimed =
  /^(x-forwarded-|x-h2o-|x-haic-|x-real-ip$|x-client-ip$|x-original-|x-rewrite-|x-remote-user|x-auth-request-)/;

/**
 * Headers by which a request could claim to come from elsewhere or from someone else. Underscores count as dashes, since many
 * servers make no difference.
 */
export function isIdentityClaim(name: string): boolean {
  const first = name.charCodeAt(0);
  if (first === 120 /* x */) return claimed.test(name.includes('_') ? name.replaceAll('_', '-') : name);
  if (first !== 102 /* f */ && first !== 114 /* r */ && first !== 116 /* t */ && first !== 99 /* c */)
    return false;
  const dashed = name.replaceAll('_', '-');
  return (
    dashed === 'forwarded' ||
    dashed === 'remote-user' ||
    dashed === 'true-client-ip' ||
    dashed === 'client-ip'
  );
}
