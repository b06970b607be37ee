import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../auth/principal.ts';
import { addressOf } from '../http/address.ts';
import { auditMetadataOf, auditPrincipalOf, type CallAudit, type OpenCall } from './call-audit.ts';
import { statusOfHttp } from './outcome.ts';
import { isTold, type ToldWhen, tellRefusal } from './refusals.ts';

/** What a route does, as the audit trail is told. */
export interface RouteAudit {
  /** `actions/<service>/<collection>/<VERB>`. */
  readonly action: string;
  /**
   * `//<service>/<collection>/{id}` with parameters of the address, and for what is made `{answer.id}` of the answer, without which it is the collection.
   */
  readonly resource: string;
  /** Fields of the body (`target.bucket` of one within), and parameters of the address, whose values are told. Never one that can hold a secret. */
  readonly parameters?: readonly string[];
  /**
   * The workspace that it happens in (`workspaces/<id>`), where the resource does not say it: asked before the call is made, with the parameters of the
   * address and those that are told. Only of one that the caller may know of, whose administrators will read it.
   */
  readonly workspaceOf?: (
    caller: Principal,
    given: Readonly<Record<string, string>>,
  ) => Promise<string | undefined>;
  /** For reads that matter: a secret, a log, a download. */
  readonly readOnly?: boolean;
  /** Where the service records what it does itself, in one transaction with it. */
  readonly when?: ToldWhen;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A route that changes something names what it does, and is recorded before it is answered; or it says why not in `unaudited`. */
    audit?: RouteAudit;
    /** Why the trail need not hear of it from here. */
    unaudited?: string;
  }
  interface FastifyInstance {
    /** Routes that change something and say neither what they do nor why that is not recorded. */
    auditGaps: string[];
  }
}

interface Told {
  readonly call: OpenCall;
  readonly resource: string;
  readonly params: Readonly<Record<string, string>>;
  answer: unknown;
}

const told = new WeakMap<FastifyRequest, Told>();
const forgotten = new WeakSet<FastifyRequest>();
const reads = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Before anything else looks at the body: what is answered from an earlier try is a call, too. */
export function auditRoutes(server: FastifyInstance, audit: CallAudit | undefined): void {
  server.decorate('auditGaps', []);
  server.addHook('onRoute', ({ url, method, config }) => {
    const changing = [method].flat().filter((each) => !reads.has(each));
    if (changing.length > 0 && config?.audit === undefined && config?.unaudited === undefined)
      server.auditGaps.push(`${changing.join('|')} ${url}`);
  });
  if (audit === undefined) return;

  server.addHook('preHandler', async (request) => {
    const { audit: what } = request.routeOptions.config;
    if (what === undefined || what.when !== undefined || request.principal === undefined) return;
    const params = paramsOf(request);
    const asked = callOf(request, what, request.body);
    const given = { ...params, ...asked.requestParameters };
    const workspace = await what.workspaceOf?.(request.principal, given);
    const call = await audit.begin({
      ...asked,
      ...(workspace === undefined ? {} : { workspace }),
      principal: auditPrincipalOf(request.principal),
      metadata: auditMetadataOf(request.principal),
    });
    told.set(request, { call, resource: what.resource, params, answer: undefined });
  });
  server.addHook('preSerialization', async (request, _reply, payload) => {
    const open = told.get(request);
    if (open !== undefined) open.answer = payload;
    return payload;
  });
  server.addHook('onSend', async (request, reply, payload) => {
    const open = told.get(request);
    if (open === undefined) {
      if (reply.statusCode >= 400 && !forgotten.has(request)) await tellOf(audit, request, reply, payload);
      return payload;
    }
    open.answer ??= parsed(payload);
    told.delete(request);
    await open.call.end({
      resource: filled(open.resource, open.params, open.answer),
      ...statusOf(reply, open.answer),
    });
    return payload;
  });
}

const paramsOf = (request: FastifyRequest) => (request.params ?? {}) as Readonly<Record<string, string>>;

/** Without a body that nobody has looked at: what it holds where a name should be may be anything. */
function callOf(request: FastifyRequest, what: RouteAudit, body?: unknown) {
  const { action, readOnly = false, resource, parameters = [] } = what;
  const params = paramsOf(request);
  return {
    ...{ action, readOnly, resource: filled(resource, params, undefined) },
    requestParameters: toldOf(parameters, [params, request.query, body]),
    sourceIpAddress: addressOf(request),
    userAgent: String(request.headers['user-agent'] ?? ''),
  };
}

/** What was refused before it could be begun, or is not begun here. */
async function tellOf(audit: CallAudit, request: FastifyRequest, reply: FastifyReply, payload: unknown) {
  const { audit: what } = request.routeOptions.config;
  if (what === undefined) return;
  const status = statusOfHttp(reply.statusCode, parsed(payload));
  if (!isTold(status.code, what.when)) return;
  await tellRefusal(audit, { ...callOf(request, what), principal: request.principal, status });
}

/** Of a refusal that was written before it was known that it would be told. */
function parsed(payload: unknown): unknown {
  try {
    return typeof payload === 'string' ? JSON.parse(payload) : undefined;
  } catch {
    return undefined;
  }
}

/** What this request does need not be told after all: it reads what is the reader's own. */
export async function forgetCall(request: FastifyRequest): Promise<void> {
  const open = told.get(request);
  told.delete(request);
  forgotten.add(request);
  await open?.call.drop();
}

/** Of the first that has it. */
function toldOf(names: readonly string[], given: readonly unknown[]): Readonly<Record<string, string>> {
  const values = names.flatMap((name): [string, string][] => {
    const value = given.map((each) => within(each, name.split('.'))).find((found) => found !== undefined);
    if (value === undefined || value === null) return [];
    return [[name, Array.isArray(value) ? value.map(String).join(', ') : String(value)]];
  });
  return Object.fromEntries(values);
}

function statusOf(reply: FastifyReply, answer: unknown) {
  if (reply.statusCode < 400) return {};
  return { status: statusOfHttp(reply.statusCode, answer) };
}

/** The template with what is known; cut off at the first thing that is not. */
export function filled(template: string, params: Readonly<Record<string, string>>, answer: unknown): string {
  const segments: string[] = [];
  for (const segment of template.split('/')) {
    const name = /^\{(.+)\}$/.exec(segment)?.[1];
    if (name === undefined) {
      segments.push(segment);
      continue;
    }
    const value = name.startsWith('answer.') ? within(answer, name.split('.').slice(1)) : params[name];
    if (typeof value !== 'string' || value === '') break;
    segments.push(encodeURIComponent(value));
  }
  return segments.join('/');
}

const within = (value: unknown, [name, ...rest]: readonly string[]): unknown =>
  name === undefined
    ? value
    : typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      ? within((value as Readonly<Record<string, unknown>>)[name], rest)
      : undefined;
