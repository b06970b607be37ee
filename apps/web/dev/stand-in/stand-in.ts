import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { OAuthClient } from '../../src/accounts/client-queries.ts';
import type { Account } from '../../src/accounts/queries.ts';
import type { Group } from '../../src/admin/groups.ts';
import type { ServiceAccount } from '../../src/admin/service-accounts.ts';
import type { App, Me, Owner, Visibility } from '../../src/api/types.ts';
import type { AuditEvent, AuditFilter } from '../../src/audit/events.ts';
import { answerProvider, sampleAccounts, sampleClients } from './accounts.ts';
import { answerApi, json, me } from './api.ts';
import { sampleEvents } from './audit.ts';
import { answerBytes, StandInDrive } from './drive.ts';
import { sampleGroups } from './groups.ts';
import { StandInInstance } from './instances.ts';
import { type StandInPerson, samplePeople } from './people.ts';
import { Problem } from './problem.ts';
import { ada, sampleApps } from './samples.ts';
import { type StandInSecret, sampleSecrets } from './secrets.ts';
import { answerSecureStore, type StandInStored, sampleStored } from './secure-store.ts';
import { sampleServiceAccounts } from './service-accounts.ts';
import { answerWorkspaces, type StandInWorkspace, sampleWorkspaces } from './workspaces.ts';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));
const csrfToken = 'csrf-of-the-stand-in';
const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};
const contentSecurityPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'";

/**
 * A stand-in for the platform, for work on the portal and for its browser tests: the built pages, and the API answered from
 * memory. Not a platform: nothing is checked, stored or run. Tests turn its knobs directly.
 */
export class StandIn {
  apps: App[] = sampleApps();
  people: StandInPerson[] = samplePeople();
  groups: Group[] = sampleGroups();
  serviceAccounts: ServiceAccount[] = sampleServiceAccounts();
  workspaces: StandInWorkspace[] = sampleWorkspaces(this.people);
  secrets: StandInSecret[] = sampleSecrets();
  accounts: Account[] = sampleAccounts();
  clients: OAuthClient[] = sampleClients();
  /** What was sent as the secret of an OAuth client. */
  clientSecrets: string[] = [];
  /** What people meet who log in elsewhere. */
  provider: 'willing' | 'refusing' | 'away' = 'willing';
  stored: StandInStored[] = sampleStored(
    this.workspaces
      .filter(({ workspace }) => workspace.kind === 'WORKSPACE_KIND_SHARED')
      .map(({ workspace }) => workspace.name),
  );
  drive = new StandInDrive(
    this.workspaces
      .filter(
        ({ workspace }) => workspace.kind === 'WORKSPACE_KIND_SHARED' && workspace.deleteTime === undefined,
      )
      .filter(({ workspace }) => workspace.role !== 'ROLE_UNSPECIFIED')
      .map(({ workspace }) => workspace.name.replace('workspaces/', '')),
  );
  /** Names of secrets whose values were shown. */
  revealed: string[] = [];
  auditEvents: AuditEvent[] = sampleEvents();
  /** Of each search of the audit trail. */
  auditFilters: AuditFilter[] = [];
  instances: StandInInstance[] = [];
  url = '';
  me: Me = me('');
  signedIn = true;
  /** Everything but static files answers 503. */
  down = false;
  /** Milliseconds of one stage of a start. */
  stageMilliseconds = 150;
  /** Milliseconds to wait after each piece of an upload. */
  uploadDelay = 0;
  /** The `Last-Event-ID` of each request for a log's stream; 0 for none. */
  logRequests: number[] = [];
  private waitingToken = new Set<string>();
  private readonly streams = new Set<ServerResponse>();
  private readonly server = createServer((request, response) => void this.serve(request, response));

  async start(port = 0): Promise<this> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://localhost:${(this.server.address() as AddressInfo).port}`;
    this.me = me(this.url);
    return this;
  }

  async stop(): Promise<void> {
    for (const instance of this.instances) instance.stopTimers();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** For ada, unless another owner is named. */
  run(app: App, visibility: Visibility, owner: Owner = ada): StandInInstance {
    const instance = new StandInInstance(
      app,
      visibility,
      owner,
      (id) => `${this.url.replace('//', `//${id}.`)}/`,
    );
    this.instances.push(instance);
    instance.start({ milliseconds: this.stageMilliseconds, fails: app.name === 'ai.h2o.broken' });
    return instance;
  }

  /** Streams that `dropStreams` cuts. */
  hold(response: ServerResponse): void {
    this.streams.add(response);
    response.once('close', () => this.streams.delete(response));
  }

  /** As when the platform is killed: connections break without an end. */
  dropStreams(): void {
    for (const stream of this.streams) stream.destroy();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.answer(request, response);
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem(500, 'internal', String(error));
      if (response.headersSent) return void response.destroy();
      response.writeHead(problem.status, { 'content-type': 'application/problem+json' }).end(
        JSON.stringify({
          type: `urn:haic:error:${problem.code}`,
          title: problem.code,
          code: problem.code,
          status: problem.status,
          detail: problem.message,
          requestId: '0c5e9f8e-1f43-4f0e-9d0b-6a1f5f2d7c11',
          ...(problem.details === undefined ? {} : { details: problem.details }),
        }),
      );
    }
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const instanceId = /^([0-9a-f-]{36})\.localhost/.exec(request.headers.host ?? '')?.[1];
    if (instanceId !== undefined) return this.showApp(instanceId, response);
    const path = url.pathname;
    if (path === '/login') {
      this.signedIn = true;
      return redirect(response, url.searchParams.get('next') ?? '/');
    }
    if (path === '/logout') {
      this.signedIn = false;
      return redirect(response, '/');
    }
    const token = /^\/auth\/get-(platform-)?token$/.exec(path);
    if (token !== null) {
      const kind = token[1] === undefined ? 'cli' : 'platform';
      this.waitingToken.add(kind);
      return redirect(response, `/cli-and-api-access?token=${kind}`);
    }
    if (path === '/session' || path.startsWith('/session/') || path.startsWith('/api/')) {
      return this.answerCall(request, response, url);
    }
    if (path === '/provider') return answerProvider({ standIn: this, request, response, url });
    if (path.startsWith('/stand-in-drive/')) return answerBytes({ standIn: this, request, response, url });
    if (path === '/cli/version')
      return json(response, 200, { version: '0.1.0', sha256: '5f'.repeat(32), size: 959_000 });
    return serveFile(path, response);
  }

  private async answerCall(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (this.down) throw new Problem(503, 'unavailable', 'The platform is starting.');
    if (url.pathname === '/session') {
      return json(
        response,
        200,
        this.signedIn ? { signedIn: true, username: this.me.username, csrfToken } : { signedIn: false },
      );
    }
    if (!this.signedIn) throw new Problem(401, 'unauthenticated', 'Sign in first.');
    if (request.method !== 'GET' && request.headers['x-haic-csrf'] !== csrfToken) {
      throw new Problem(403, 'csrf', 'The request did not come from this portal.');
    }
    if (url.pathname === '/session/one-time-token') {
      const { kind } = JSON.parse(await text(request)) as { kind: string };
      if (!this.waitingToken.delete(kind)) throw new Problem(404, 'not_found', 'No token waits to be read.');
      return json(response, 200, { token: `one-time-${kind}-${'x'.repeat(220)}` });
    }
    if (url.pathname.startsWith('/api/services/secure-store/'))
      return answerSecureStore({ standIn: this, request, response, url, path: [] });
    if (url.pathname.startsWith('/api/services/authz/'))
      return answerWorkspaces({ standIn: this, request, response, url, path: [] });
    const path = url.pathname.replace('/api/v1/', '').split('/').map(decodeURIComponent);
    await answerApi({ standIn: this, request, response, url, path });
  }

  private showApp(id: string, response: ServerResponse): void {
    const title = this.instances.find((instance) => instance.data.id === id)?.data.app.title ?? 'nothing';
    response
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      .end(`<!doctype html><title>${title}</title><h1>This is ${title}</h1>`);
  }
}

const redirect = (response: ServerResponse, location: string): void => {
  response.writeHead(302, { location }).end();
};

async function serveFile(path: string, response: ServerResponse): Promise<void> {
  const wanted = extname(path) === '' ? 'index.html' : normalize(path).replace(/^(\.\.\/)+/, '');
  const content = await readFile(join(dist, wanted)).catch(() => undefined);
  if (content === undefined) return void response.writeHead(404).end('Not found');
  response
    .writeHead(200, {
      'content-type': contentTypes[extname(wanted)] ?? 'application/octet-stream',
      'content-security-policy': contentSecurityPolicy,
    })
    .end(content);
}
