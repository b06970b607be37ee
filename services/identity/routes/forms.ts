import { forbidden, HaicError } from '@haic/kit/errors.ts';
import {
  type FastifyReply,
  type FastifyRequest,
  type HttpServer,
  sendProblem,
} from '@haic/kit/http/server.ts';
import { pageHeaders } from '../pages/layout.ts';
import { messagePage } from '../pages/messages.ts';

/** What all pages of the issuer need. */
export interface PageContext {
  readonly publicUrl: string;
  /** The issuer's path on the public host: /auth/realms/haic. */
  readonly issuerPath: string;
}

/** Forms of a few short fields, nothing else; an answer that is no page is one here, because a person reads it. */
export function preparePages(scope: HttpServer, publicUrl: string): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 16 * 1024 },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
  scope.addHook('preHandler', async (request) => {
    if (request.method === 'POST') requireSameOrigin(request, publicUrl);
  });
  scope.setErrorHandler((error, request, reply) => {
    const known = error instanceof HaicError ? error : undefined;
    const status = known?.status ?? statusOf(error);
    if (request.headers.accept?.includes('text/html') !== true && known !== undefined)
      return sendProblem(known, request, reply);
    if (status >= 500) request.log.error({ err: error }, 'A page of the issuer failed.');
    return sendPage(
      reply,
      status,
      messagePage({
        title: status >= 500 ? 'Something went wrong' : 'This cannot go on',
        message:
          known?.message ?? 'Haic could not finish this. Try again in a moment; its log has the details.',
        link: { href: `${publicUrl}/`, text: 'Go to Haic' },
      }),
    );
  });
}

const statusOf = (error: unknown): number =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : 500;

/** Browsers send Origin with every form; another site's form, and a program's that sends none, are refused. */
function requireSameOrigin(request: FastifyRequest, publicUrl: string): void {
  if (request.headers.origin === new URL(publicUrl).origin) return;
  throw forbidden(
    'wrong_origin',
    'This form was not sent from a page of Haic. Open the page again and retry.',
  );
}

export const sendPage = (reply: FastifyReply, status: number, text: string): FastifyReply =>
  reply.code(status).headers(pageHeaders).send(text);

export const fieldOf = (request: FastifyRequest, name: string): string =>
  request.body instanceof URLSearchParams ? (request.body.get(name) ?? '') : '';

export function cookieOf(request: FastifyRequest, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const separator = pair.indexOf('=');
    if (separator > 0 && pair.slice(0, separator).trim() === name) return pair.slice(separator + 1).trim();
  }
  return undefined;
}
