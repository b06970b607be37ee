import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { forbidden, notFound } from '@haic/kit/errors.ts';
import type { RequestHead } from '@haic/kit/proxy/head.ts';
import { responseOn } from '@haic/kit/proxy/upgrade.ts';
import { type Admission, admit } from '../app/admit.ts';
import { sendUnknown } from '../app/app-host.ts';
import { inPlaceRules } from '../app/app-rules.ts';
import { bearerOf } from '../app/bearer.ts';
import { type Passing, proxyRequest, proxyUpgrade } from '../app/proxy-to-app.ts';
import type { RouterContext } from '../context.ts';
import { redirect, sendProblem } from '../respond.ts';

type Named = { readonly instanceId: string; readonly rest: string };

/** `/instance/<id>/…` on the portal's host: programs with a token are served here, browsers are sent to the instance's host. */
export async function handleInPlace(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse,
  head: RequestHead,
  named: Named,
): Promise<void> {
  if (!isProgram(request)) {
    redirect(request, response, `${context.hosts.appOrigin(named.instanceId)}${head.path}`, { status: 307 });
    return;
  }
  const passing = await passingFor(context, request, response, head, named, false);
  if (passing !== undefined) proxyRequest(context, request, response, passing);
}

export async function upgradeInPlace(
  context: RouterContext,
  request: IncomingMessage,
  socket: Duplex,
  firstBytes: Buffer,
  head: RequestHead,
  named: Named,
): Promise<void> {
  let response: ServerResponse | undefined;
  const respond = () => (response ??= responseOn(request, socket));
  if (!isProgram(request)) {
    redirect(request, respond(), `${context.hosts.appOrigin(named.instanceId)}${head.path}`, { status: 307 });
    return;
  }
  const passing = await passingFor(context, request, respond, head, named, true);
  if (passing !== undefined) proxyUpgrade(context, request, socket, firstBytes, passing);
}

const isProgram = (request: IncomingMessage): boolean =>
  bearerOf(request.headers.authorization) !== undefined && request.headers.cookie === undefined;

async function passingFor(
  context: RouterContext,
  request: IncomingMessage,
  response: ServerResponse | (() => ServerResponse),
  head: RequestHead,
  { instanceId, rest }: Named,
  upgrade: boolean,
): Promise<Passing | undefined> {
  const respond = () => (typeof response === 'function' ? response() : response);
  const route = context.routes.get(instanceId);
  if (route === undefined) {
    sendUnknown(context, request, respond());
    return undefined;
  }
  const appPath = rest.startsWith('/') ? rest : `/${rest}`;
  const admission = await admit(context, request, route, {
    origin: context.hosts.portalOrigin,
    upgrade,
    appPath,
  });
  if (!admission.passage.pass) {
    sendProblem(request, respond(), refusalOf(admission));
    return undefined;
  }
  const based = route.routingMode === 'BASE_URL';
  // An app at the root of its own host knows no prefix.
  const path = based ? head.path : appPath;
  const sentHost = based ? head.host : context.hosts.appHost(instanceId);
  return { route, admission, path, rules: inPlaceRules(context, request, sentHost) };
}

const refusalOf = (admission: Admission) =>
  admission.passage.pass || admission.passage.because === 'not_found'
    ? notFound('This instance')
    : forbidden(admission.passage.because, 'This token opens no such app.');
