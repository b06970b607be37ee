import type { IncomingMessage } from 'node:http';
import { addressOf } from '@haic/kit/http/address.ts';
import type { FastifyReply, FastifyRequest, HttpServer } from '@haic/kit/http/server.ts';
import type { Issuer } from './issuer.ts';

export interface MountOptions {
  readonly publicUrl: string;
  readonly issuer: Issuer;
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

  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.route({
      method: ['GET', 'POST', 'OPTIONS'],
      url: `${mountPath}/*`,
      config: {
        public: 'the OpenID provider: sign-in, tokens, keys',
        unaudited:
          'signing in is told of where the password is checked; tokens are renewed every few minutes',
      },
      handler: async (request: FastifyRequest, reply: FastifyReply) => {
        const raw = trustedRequest(request, publicUrl);
        reply.hijack();
        const url = raw.url ?? '/';
        Object.assign(raw, { originalUrl: url, url: url.slice(mountPath.length) });
        await issuer.provider().callback()(raw, reply.raw);
      },
    });
  });
}
