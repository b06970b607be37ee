import type { IncomingMessage, ServerResponse } from 'node:http';
import { forbidden, notFound } from '@haic/kit/errors.ts';
import type { RequestHead } from '@haic/kit/proxy/head.ts';
import type { RouterContext } from '../context.ts';
import { laxPath, pathOnly } from '../paths.ts';
import { sendProblem } from '../respond.ts';
import { proxyApi } from './core-proxy.ts';

export const doorPrefix = '/api/services';

/**
 * `/api/services/secure-store/v1/…`: the way by which the portal's pages call the services whose addresses are for programs. Those ignore cookies
 * (design §3); here the session's cookie becomes the person's token, under the rules of every other call of the portal.
 */
export function createServiceDoor(prefixes: readonly string[]) {
  /** The address at core, or undefined: what leads to no service, or out of it for any server that reads paths more laxly. */
  const behind = (path: string): string | undefined => {
    const rest = path.slice(doorPrefix.length);
    const prefix = prefixes.find((each) => rest.startsWith(`${each}/`));
    if (prefix === undefined) return undefined;
    return laxPath(rest)?.startsWith(`${prefix}/`) === true ? rest : undefined;
  };
  return async (
    context: RouterContext,
    request: IncomingMessage,
    response: ServerResponse,
    head: RequestHead,
  ): Promise<void> => {
    // Only scripts of the portal have business here: nobody is led here by a link.
    const site = request.headers['sec-fetch-site'];
    if (site === 'cross-site' || site === 'same-site')
      return sendProblem(
        request,
        response,
        forbidden('foreign_origin', 'Only pages of Haic itself may send this request.'),
      );
    const path = behind(head.path);
    if (path === undefined) return sendProblem(request, response, notFound(pathOnly(head.path)));
    return proxyApi(context, request, response, { ...head, path });
  };
}
