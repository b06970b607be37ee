import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { App, Visibility } from '../../src/api/types.ts';
import { answerAccounts, answerClients } from './accounts.ts';
import { answerAudit } from './audit.ts';
import { give } from './belongings.ts';
import { answerDrive } from './drive.ts';
import { answerGroups, answerRoles } from './groups.ts';
import type { InstanceChange, StandInInstance } from './instances.ts';
import { answerOwnTokens, answerPeople } from './people.ts';
import { notFound, Problem } from './problem.ts';
import { meOf, picture } from './samples.ts';
import { answerSecrets } from './secrets.ts';
import { answerServiceAccounts } from './service-accounts.ts';
import type { StandIn } from './stand-in.ts';

export interface Call {
  readonly standIn: StandIn;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly path: readonly string[];
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** `/api/v1/…` in memory. */
export async function answerApi(call: Call): Promise<void> {
  if (call.url.pathname === '/api/services/audit-trail/v1/events:search') return answerAudit(call);
  const [kind, id, sub, name] = call.path;
  if (kind === 'me' && id === 'tokens') return answerOwnTokens(call, sub);
  if (kind === 'people') return answerPeople(call, id, sub, name);
  if (kind === 'groups') return answerGroups(call, id, sub, name);
  if (kind === 'service-accounts') return answerServiceAccounts(call, id, sub);
  if (kind === 'secrets') return answerSecrets(call, id, sub);
  if (kind === 'connected-accounts') return answerAccounts(call, id, sub, name);
  if (kind === 'oauth-clients') return answerClients(call, id, sub);
  if (kind === 'roles') return answerRoles(call, id, name);
  if (kind === 'app-usage') return usage(call);
  if (kind === 'me') return json(call.response, 200, call.standIn.me);
  if (kind === 'apps') return id === undefined ? apps(call) : app(call, id, sub, name);
  if (kind === 'drive') return answerDrive(call);
  if (kind === 'instances') return id === undefined ? instances(call) : instance(call, id, sub);
  throw notFound('That');
}

export const me = meOf;

export function page<Item>(call: Call, items: readonly Item[]): void {
  const size = Number(call.url.searchParams.get('pageSize') ?? 50);
  const from = Number(call.url.searchParams.get('pageToken') ?? 0);
  const more = from + size < items.length;
  json(call.response, 200, {
    items: items.slice(from, from + size),
    ...(more ? { nextPageToken: String(from + size) } : {}),
  });
}

export const matches = (query: string, ...texts: readonly string[]): boolean =>
  texts.some((candidate) => candidate.toLowerCase().includes(query.toLowerCase()));

/** What the query asks for by this name, if it asks. */
const isOf = (query: URLSearchParams, name: string, value: string): boolean =>
  (query.get(name) ?? value) === value;

function usage(call: Call): void {
  const ids = (call.url.searchParams.get('appIds') ?? '').split(',');
  const items = ids.map((appId) => {
    const all = call.standIn.instances.filter(({ gone, data }) => !gone && data.app.id === appId);
    const running = all.filter(({ data }) => data.status !== 'SUSPENDED').length;
    return { appId, instances: all.length, running, lastStartedAt: all.at(-1)?.data.createdAt ?? null };
  });
  json(call.response, 200, { items });
}

async function apps(call: Call): Promise<void> {
  const { searchParams } = call.url;
  if (call.request.method === 'POST') return importApp(call);
  const query = searchParams.get('query') ?? '';
  const tag = searchParams.get('tag');
  page(
    call,
    call.standIn.apps.filter(
      (candidate) =>
        matches(query, candidate.title, candidate.name, candidate.description, ...candidate.tags) &&
        (tag === null || candidate.tags.includes(tag)) &&
        (searchParams.get('mine') !== 'true' || candidate.owner.subject === call.standIn.me.subject) &&
        isOf(searchParams, 'owner', candidate.owner.username) &&
        isOf(searchParams, 'visibility', candidate.visibility),
    ),
  );
}

/** Reads the bundle, slowly if asked to. A file named `broken…` has everything wrong; nothing is unzipped. */
async function importApp({ standIn, request, response, url }: Call): Promise<void> {
  const fileName = decodeURIComponent(String(request.headers['x-haic-file-name'] ?? 'app.wave'));
  for await (const _chunk of request) {
    if (standIn.uploadDelay > 0) await new Promise((resolve) => setTimeout(resolve, standIn.uploadDelay));
  }
  if (fileName.startsWith('broken')) {
    throw new Problem(422, 'bundle_invalid', 'The bundle has 3 problems.', {
      problems: [
        {
          file: 'app.toml',
          key: 'App.Version',
          message: 'The version “one” is not a version number.',
          remedy: 'Write it as in Version = "1.0.0".',
        },
        {
          file: 'app.toml',
          key: 'Runtime.Module',
          message: 'There is no file app/main.py for the module app.main.',
          remedy: 'Name the Python module that starts the app, for instance "app".',
        },
        {
          file: 'static/icon.png',
          message: 'The icon is not a PNG image.',
          remedy: 'Save it as PNG, 400–1000 px.',
        },
      ],
    });
  }
  const title = fileName.replace(/\.(wave|zip)$/, '');
  const first = standIn.apps[0];
  if (first === undefined) throw new Error('The stand-in has no sample to copy.');
  const app: App = {
    ...first,
    id: `b0000000-0000-4000-8000-${String(standIn.apps.length + 1).padStart(12, '0')}`,
    name: title,
    title,
    icon: null,
    screenshots: [],
    visibility: (url.searchParams.get('visibility') ?? 'PRIVATE') as Visibility,
    createdAt: new Date().toISOString(),
  };
  standIn.apps.unshift(app);
  json(response, 201, app);
}

async function app(call: Call, id: string, sub?: string, name?: string): Promise<void> {
  const { standIn, request, response } = call;
  const found = standIn.apps.find((candidate) => candidate.id === id);
  if (found === undefined) throw notFound('This app');
  if (sub === 'assets') {
    const hue = (standIn.apps.indexOf(found) * 47) % 360;
    const svg = name?.startsWith('icon')
      ? picture(found.title.charAt(0), hue, 96, 96)
      : picture(name ?? '', hue, 1280, 800);
    response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(svg);
    return;
  }
  if (sub === 'bundle') {
    response.writeHead(200, {
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="${found.name}.${found.version}.wave"`,
    });
    response.end('PK');
    return;
  }
  if (sub === 'instances' && request.method === 'POST') {
    const body = JSON.parse((await text(request)) || '{}') as { visibility?: Visibility };
    return json(response, 201, standIn.run(found, body.visibility ?? 'PRIVATE').data);
  }
  if (request.method === 'DELETE') {
    if (standIn.instances.some((instance) => instance.data.app.id === id && !instance.gone)) {
      throw new Problem(409, 'app_has_instances', 'This app has instances. Terminate them first.');
    }
    standIn.apps.splice(standIn.apps.indexOf(found), 1);
    response.writeHead(204).end();
    return;
  }
  if (sub === 'visit') {
    const open = standIn.instances.findLast(
      (one) => one.data.app.id === id && one.data.status === 'DEPLOYED',
    );
    response.writeHead(303, { location: open?.data.url ?? `/apps/${id}?visit=none` }).end();
    return;
  }
  let current = found;
  if (sub === 'preconditions') {
    const precondition = { status: 'PASSED', problems: [], checkedAt: new Date().toISOString() } as const;
    current = { ...found, precondition, canRun: true, cannotRunBecause: '' };
    standIn.apps[standIn.apps.indexOf(found)] = current;
  }
  if (request.method === 'PATCH') {
    const { owner, ...change } = JSON.parse(await text(request)) as Partial<App> & { owner?: string };
    if (owner === 'nobody') throw new Problem(422, 'owner_unknown', 'There is no person named nobody.');
    current = {
      ...found,
      ...change,
      ...(owner === undefined
        ? {}
        : { owner: { subject: `sub-${owner}`, username: owner }, canManage: false }),
    };
    standIn.apps[standIn.apps.indexOf(found)] = current;
  }
  const { version, createdAt, canRun } = current;
  const precondition = current.precondition.status;
  const older = {
    id: standIn.apps[1]?.id ?? id,
    version: '1.1.0',
    createdAt: '2026-01-07T10:00:00.000Z',
    canRun,
    precondition: 'PASSED',
  };
  json(response, 200, {
    ...current,
    canDownload: true,
    versions: [{ id, version, createdAt, canRun, precondition }, older],
  });
}

async function instances(call: Call): Promise<void> {
  const query = call.url.searchParams.get('query') ?? '';
  const appId = call.url.searchParams.get('appId');
  page(
    call,
    call.standIn.instances
      .filter((instance) => !instance.gone)
      .map((instance) => instance.data)
      .filter(
        (data) =>
          matches(query, data.app.title, data.app.name, data.owner.username) &&
          (appId === null || data.app.id === appId) &&
          isOf(call.url.searchParams, 'owner', data.owner.username) &&
          isOf(call.url.searchParams, 'status', data.status) &&
          (call.url.searchParams.get('all') === 'true' || data.owner.subject === call.standIn.me.subject),
      )
      .toReversed(),
  );
}

async function instance(call: Call, id: string, sub?: string): Promise<void> {
  const { standIn, request, response } = call;
  const found = standIn.instances.find((candidate) => candidate.data.id === id && !candidate.gone);
  if (found === undefined) throw notFound('This instance');
  if (sub === 'events') return events(call, found);
  if (sub === 'logs') return logs(call, found);
  if (request.method === 'POST') return act(call, found, sub);
  if (request.method === 'DELETE') {
    found.end();
    response.writeHead(204).end();
    return;
  }
  if (request.method === 'PATCH') {
    const { owner, ...change } = JSON.parse(await text(request)) as InstanceChange & { owner?: string };
    if (owner !== undefined) give(call, id, owner);
    else found.change(change);
  }
  json(response, 200, found.data);
}

function act({ standIn, response }: Call, instance: StandInInstance, action: string | undefined): void {
  const paused = instance.data.status === 'SUSPENDED';
  if (action === 'resume') {
    if (!paused) throw new Problem(409, 'not_paused', 'This instance is not paused.');
    instance.resume(standIn.stageMilliseconds);
  } else {
    if (paused) throw new Problem(409, 'already_paused', 'This instance is paused already.');
    if (action === 'suspend') instance.pause();
    else instance.extend();
  }
  json(response, 200, instance.data);
}

const startStream = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();
};

function events({ standIn, response }: Call, instance: StandInInstance): void {
  startStream(response);
  const send = () => response.write(`event: instance\ndata: ${JSON.stringify(instance.data)}\n\n`);
  const end = () => response.end();
  send();
  standIn.hold(response);
  instance.events.on('change', send).once('gone', end);
  response.once('close', () => instance.events.off('change', send).off('gone', end));
}

function logs({ standIn, request, response, url }: Call, instance: StandInInstance): void {
  const lines = url.searchParams.get('previous') === 'true' ? instance.previousLog : instance.log;
  const tail = Number(url.searchParams.get('tail') ?? lines.length);
  if (!String(request.headers.accept).includes('text/event-stream')) {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(
      lines
        .slice(-tail)
        .map((line) => `${line}\n`)
        .join(''),
    );
    return;
  }
  const lastId = Number(request.headers['last-event-id'] ?? 0);
  standIn.logRequests.push(lastId);
  let next = lastId > 0 ? lastId : Math.max(0, lines.length - tail);
  startStream(response);
  const send = () => {
    for (; next < lines.length; next += 1) response.write(`id: ${next + 1}\ndata: ${lines[next]}\n\n`);
  };
  send();
  if (url.searchParams.get('follow') !== 'true') {
    response.end();
    return;
  }
  const end = () => response.end();
  standIn.hold(response);
  instance.events.on('line', send).once('gone', end);
  response.once('close', () => instance.events.off('line', send).off('gone', end));
}
