import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest, HttpServer } from '@haic/kit/http/server.ts';
import { LRUCache } from 'lru-cache';
import type { Issuer } from './issuer.ts';

export interface MountOptions {
  readonly publicUrl: string;
  readonly issuer: Issuer;
}

/** The address that the router saw: the last one it appended; without a router, the peer of the connection. */
export function addressOf(request: FastifyRequest): string {
  const forwarded = request.headers['x-forwarded-for'];
  const text = Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? '');
  const last = text.split(',').at(-1)?.trim();
  return last !== undefined && last !== '' ? last : (request.socket.remoteAddress ?? 'local');
}

/**
 * The provider and its cookies believe the scheme, host and address in the request. They are overwritten with what is configured
 * and what the router saw: nothing that a caller sends (Host, X-Forwarded-*) finds its way into an URL.
 */
export function trustedRequest(request: FastifyRequest, publicUrl: string): IncomingMessage {
  const { raw } = request;
  const url = new URL(publicUrl);
  const address = addressOf(request);
  delete raw.headers['x-forwarded-host'];
  raw.headers.host = url.host;
  raw.headers['x-forwarded-proto'] = url.protocol.slice(0, -1);
  raw.headers['x-forwarded-for'] = address;
  return raw;
}

/** Hands everything below the issuer that is no page of ours to the OpenID provider, body unread. */
export function mountProvider(server: HttpServer, { publicUrl, issuer }: MountOptions): void {
  const mountPath = new URL(issuer.provider().issuer).pathname;
  const limiter = createFailureLimiter();

  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.route({
      method: ['GET', 'POST', 'OPTIONS'],
      url: `${mountPath}/*`,
      config: { public: 'the OpenID provider: sign-in, tokens, keys' },
      handler: async (request: FastifyRequest, reply: FastifyReply) => {
        const address = addressOf(request);
        const raw = trustedRequest(request, publicUrl);
        reply.hijack();
        if (await limiter.delay(address, raw)) {
          reply.raw.writeHead(429, { 'content-type': 'application/json', 'retry-after': '60' });
          reply.raw.end(JSON.stringify(tooManyFailures));
          return;
        }
        limiter.watch(address, raw, reply.raw);
        const url = raw.url ?? '/';
        Object.assign(raw, { originalUrl: url, url: url.slice(mountPath.length) });
        await issuer.provider().callback()(raw, reply.raw);
      },
    });
  });
}

const tooManyFailures = {
  error: 'slow_down',
  error_description: 'Too many failed requests from this address. Wait a minute.',
};

const limitedPaths = /\/(token|token\/introspect|revoke|auth\/device)$/;
const failuresAMinute = 60;
const hardLimitAMinute = 600;

/**
 * Failures at the token endpoint, by address and minute. Secrets and tokens have 256 bits, so this is not against guessing but
 * against load: beyond the first limit an address waits a second for each request, beyond the second it is turned away. Who only
 * presents what is valid never counts; behind one address a failing neighbour costs the others a wait, not their access.
 */
function createFailureLimiter() {
  const failures = new LRUCache<string, { count: number }>({ max: 10_000, ttl: 60_000 });
  const limited = (raw: IncomingMessage) =>
    raw.method === 'POST' && limitedPaths.test((raw.url ?? '').split('?')[0] ?? '');
  return {
    /** True when the request is to be refused. */
    delay: async (address: string, raw: IncomingMessage): Promise<boolean> => {
      const count = limited(raw) ? (failures.get(address)?.count ?? 0) : 0;
      if (count >= hardLimitAMinute) return true;
      if (count >= failuresAMinute) await new Promise((resolve) => setTimeout(resolve, 1_000));
      return false;
    },
    watch: (address: string, raw: IncomingMessage, response: FastifyReply['raw']): void => {
      if (!limited(raw)) return;
      response.once('finish', () => {
        if (response.statusCode < 400 || response.statusCode >= 500) return;
        const entry = failures.get(address);
        if (entry === undefined) failures.set(address, { count: 1 });
        else entry.count += 1;
      });
    },
  };
}
