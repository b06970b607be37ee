import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ownIssuerTimes } from '@haic/kit/auth/key-set.ts';
import { createTokenVerifier } from '@haic/kit/auth/verify-token.ts';
import { deadline, until } from '@haic/kit/deadline.ts';
import { fetchOverSocket } from '@haic/kit/http/over-socket.ts';
import { createHttpServer, principalOf } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import type { InstanceRoute, RouteLine } from '@haic/services/app-store/scheduler/client.ts';
// biome-ignore lint/style/noRestrictedImports: tests run the real issuer, and compose it like apps/ do.
import { createIdentity, type Identity, identityMigrations } from '@haic/services/identity/identity.ts';
import type { RouterOptions } from './options.ts';
import { createRouter, type Router, routerMigrations } from './router.ts';

/** A router with a real issuer, a real database and an app of raw sockets, for tests. */
export interface TestPlatform {
  readonly port: number;
  readonly publicUrl: string;
  readonly issuer: string;
  readonly database: Database;
  readonly identity: Identity;
  readonly router: Router;
  readonly core: TestCore;
  readonly options: RouterOptions;
  addPerson(username: string, roles?: readonly string[]): Promise<{ subject: string; password: string }>;
  /** Tells the router and waits until it has heard. */
  setRoute(route: Partial<InstanceRoute> & { instanceId: string }): Promise<InstanceRoute>;
  removeRoute(instanceId: string): void;
  stop(): Promise<void>;
}

export interface TestCore {
  readonly socketPath: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const portalSecret = randomBytes(16).toString('hex');
const routerSecret = randomBytes(16).toString('hex');

export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function startTestPlatform(more: Partial<RouterOptions> = {}): Promise<TestPlatform> {
  const port = await freePort();
  const publicUrl = `http://localhost:${port}`;
  const issuer = `${publicUrl}/auth/realms/haic`;
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-router-'));
  const socketPath = path.join(directory, 'core.sock');
  const logger = createLogger('test', process.env.TEST_LOG ?? 'silent');
  const { database, stop: stopDatabase } = await startTestDatabase();
  await migrate(database, identityMigrations);
  await migrate(database, routerMigrations);
  const masterKey = randomBytes(32);
  const coreFetch = fetchOverSocket(socketPath);
  const verifyToken = createTokenVerifier({
    issuer,
    audience: 'haic',
    jwksUrl: `${issuer}/protocol/openid-connect/certs`,
    fetch: coreFetch,
    keyTimes: ownIssuerTimes,
  });
  const identity = await createIdentity({
    database,
    publicUrl,
    issuer,
    masterKey,
    serviceClients: { 'haic-service-router': routerSecret },
    portalClientSecret: portalSecret,
    logger,
  });
  const routes = new Map<string, InstanceRoute>();
  const watchers = new Set<ServerResponse>();
  const core = testCore({ socketPath, logger, verifyToken, identity, routes, watchers });
  await core.start();
  const options: RouterOptions = {
    publicUrl,
    listen: [{ host: '127.0.0.1', port }],
    core: { socketPath },
    servicePrefixes: ['/shelf'],
    database,
    masterKey,
    issuer,
    portalClient: { id: 'haic-portal', secret: portalSecret },
    serviceClient: { id: 'haic-service-router', secret: routerSecret },
    verifyToken,
    logger,
    ...more,
  };
  const router = await createRouter(options);
  await router.listen();
  await router.routesReady;

  const tell = (line: RouteLine) => {
    for (const watcher of watchers) watcher.write(`${JSON.stringify(line)}\n`);
  };
  return {
    port,
    publicUrl,
    issuer,
    database,
    identity,
    router,
    core,
    options,
    addPerson: async (username, roles = ['user']) => {
      const { person, password = '' } = await identity.operator.add({ username, roles, groups: [] });
      return { subject: person.id, password };
    },
    setRoute: async (given) => {
      const route = { ...emptyRoute, ...given };
      routes.set(route.instanceId, route);
      tell({ type: 'SET', route });
      // The router reads its stream in order: once it knows a later route it has heard of this one.
      const marker = { ...emptyRoute, instanceId: randomUUID(), visibility: 'PUBLIC' as const };
      tell({ type: 'SET', route: marker });
      const browser = new Browser(port);
      await until(
        async () => {
          const answer = await browser.fetch(`http://${marker.instanceId}.localhost:${port}/`);
          return answer.status === 404 ? undefined : true;
        },
        { everyMs: 3, signal: deadline(5_000) },
      );
      tell({ type: 'REMOVE', instanceId: marker.instanceId });
      return route;
    },
    removeRoute: (instanceId) => {
      routes.delete(instanceId);
      tell({ type: 'REMOVE', instanceId });
    },
    stop: async () => {
      await router.close();
      await core.stop();
      await identity.stop();
      await coreFetch.close();
      await stopDatabase();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const emptyRoute: Omit<InstanceRoute, 'instanceId'> = {
  appId: randomUUID(),
  appTitle: 'Test app',
  owner: 'nobody',
  visibility: 'PRIVATE',
  routingMode: 'DOMAIN',
  oidc: false,
  status: 'DEPLOYED',
  reason: '',
  message: '',
  since: new Date().toISOString(),
};

function testCore(parts: {
  socketPath: string;
  logger: RouterOptions['logger'];
  verifyToken: RouterOptions['verifyToken'];
  identity: Identity;
  routes: Map<string, InstanceRoute>;
  watchers: Set<ServerResponse>;
}): TestCore {
  const { logger, verifyToken, identity, routes, watchers } = parts;
  let server: ReturnType<typeof createHttpServer> | undefined;
  return {
    socketPath: parts.socketPath,
    start: async () => {
      server = createHttpServer({ logger, verifyToken });
      identity.register(server);
      server.get('/internal/routes', { config: { deed: 'route' } }, async (request, reply) => {
        principalOf(request);
        reply.hijack();
        watchers.add(reply.raw);
        reply.raw.on('close', () => watchers.delete(reply.raw));
        reply.raw.write(`${JSON.stringify({ type: 'SNAPSHOT', routes: [...routes.values()] })}\n`);
      });
      const seen = ({ url, headers, rawHeaders }: IncomingMessage) => ({ url, headers, raw: rawHeaders });
      for (const url of ['/api/v1/seen', '/shelf/*'])
        server.route({
          method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
          url,
          config: { deed: 'see apps' },
          handler: async (request) => ({ ...seen(request.raw), username: principalOf(request).username }),
        });
      server.get('/api/v1/stream', { config: { deed: 'see apps' } }, async (_request, reply) => {
        reply.hijack();
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      });
      server.get('/api/launcher/v1/seen', { config: { public: 'test' } }, async (request) =>
        seen(request.raw),
      );
      // Sets what only a login at another provider may, and what nothing of core may.
      for (const url of ['/api/v1/connected-accounts/c/a/login', '/api/v1/other/login'])
        server.get(url, { config: { deed: 'see apps' } }, async (_request, reply) =>
          reply.header('set-cookie', ['haic_connect_s=1; Path=/', 'haic_session=planted']).send({}),
        );
      server.get('/', { config: { public: 'test' } }, async (_request, reply) =>
        reply.type('text/html').header('set-cookie', 'haic_session=planted').send('<p>portal</p>'),
      );
      server.get('/seen', { config: { public: 'test' } }, async (request) => seen(request.raw));
      await server.listen({ path: parts.socketPath });
    },
    stop: async () => {
      for (const watcher of watchers) watcher.destroy();
      await server?.close();
    },
  };
}

/** An app that answers with what it got, and echoes WebSockets byte by byte. Some paths do something else. */
export interface TestApp {
  readonly port: number;
  readonly sockets: Set<Socket>;
  answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  close(): Promise<void>;
}

export async function startTestApp(): Promise<TestApp> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    if (app.answer?.(request, response)) return;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ url: request.url, method: request.method, raw: request.rawHeaders }));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    const saw = Buffer.from(JSON.stringify({ url: request.url, raw: request.rawHeaders })).toString('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Saw: ${saw}\r\n` +
        'Set-Cookie: haic_session=planted; Domain=localhost\r\n\r\n',
    );
    socket.write(head);
    socket.on('data', (chunk) => socket.write(chunk)).on('end', () => socket.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const app: TestApp = {
    port: (server.address() as AddressInfo).port,
    sockets,
    answer: undefined,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(() => resolve(undefined)).closeAllConnections());
    },
  };
  return app;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly location: string;
}

/** A browser as far as addresses and host-only cookies go; every host is the router. */
export class Browser {
  readonly port: number;
  /** By host and name: value and path. */
  readonly cookies = new Map<string, { host: string; name: string; value: string; path: string }>();

  constructor(port: number) {
    this.port = port;
  }

  cookieHeader(url: URL): string {
    return [...this.cookies.values()]
      .filter(({ host, path }) => host === url.hostname && url.pathname.startsWith(path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  cookie(host: string, name: string): string | undefined {
    return this.cookies.get(`${host} ${name}`)?.value;
  }

  async fetch(
    url: string,
    init: { method?: string; headers?: Record<string, string>; body?: string; cookies?: boolean } = {},
  ): Promise<Answer> {
    const target = new URL(url);
    const cookie = init.cookies === false ? '' : this.cookieHeader(target);
    const headers: Record<string, string> = {
      host: target.host,
      accept: 'text/html',
      ...(cookie === '' ? {} : { cookie }),
      ...(init.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(init.body)) }),
      ...init.headers,
    };
    const request = httpRequest({
      host: '127.0.0.1',
      port: this.port,
      path: target.pathname + target.search,
      method: init.method ?? 'GET',
      headers,
      setHost: false,
      agent: false,
    });
    request.end(init.body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    for (const line of response.headers['set-cookie'] ?? []) this.#store(target.hostname, line);
    const location = response.headers.location;
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: Buffer.concat(chunks).toString(),
      location: location === undefined ? '' : new URL(location, url).href,
    };
  }

  submit(url: string, fields: Record<string, string>): Promise<Answer> {
    return this.fetch(url, {
      method: 'POST',
      headers: { origin: new URL(url).origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    });
  }

  /** Follows redirects until something else is answered. */
  async open(url: string): Promise<Answer & { url: string }> {
    let current = url;
    for (let hops = 0; hops < 20; hops++) {
      const answer = await this.fetch(current);
      if (answer.location === '') return { ...answer, url: current };
      current = answer.location;
    }
    throw new Error(`Too many redirects; the last was ${current}`);
  }

  /** Opens an address, signs in when asked to, and goes on to where that leads. */
  async signIn(url: string, username: string, password: string): Promise<Answer & { url: string }> {
    const form = await this.open(url);
    if (!form.body.includes('name="password"'))
      throw new Error(`No form at ${form.url}: ${form.body.slice(0, 500)}`);
    const answer = await this.submit(form.url, { username, password });
    if (answer.location === '') throw new Error(`Signing in failed: ${answer.status} ${answer.body}`);
    return this.open(answer.location);
  }

  #store(host: string, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    const attribute = (wanted: string) =>
      attributes.find((text) => text.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
    const expires = attribute('expires');
    const over = attribute('max-age') === '0' || (expires !== undefined && Date.parse(expires) < Date.now());
    if (over) this.cookies.delete(`${host} ${name}`);
    else this.cookies.set(`${host} ${name}`, { host, name, value, path: attribute('path') ?? '/' });
  }
}
