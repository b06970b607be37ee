import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { http } from './builtin.ts';
import type { InstanceLog } from './instance-log.ts';
import type { LaunchStatus } from './status.ts';
import { documentTitle, type PageFacts, renderLive, renderStatusPage } from './status-page.ts';

export interface StatusServer {
  readonly port: number;
  close(): Promise<void>;
}

interface Source {
  readonly facts: () => PageFacts;
  readonly status: LaunchStatus;
  readonly log: InstanceLog;
}

/** At most four pictures a second: an app that prints a lot must not keep the launcher busy with its own page. */
const pushIntervalMs = 250;
const maximumWatchers = 100;

/**
 * The launcher's own web server, listening from the first moment. `/live`, `/ready` and `/status` are for the runtime and the
 * scheduler; every other address shows the page to browsers, its events to the page, and 503 to whatever else calls.
 */
export async function startStatusServer(
  options: Source & { readonly host: string; readonly port: number },
): Promise<StatusServer> {
  const { status } = options;
  const watchers = new Set<ServerResponse>();
  const push = pushChanges(options, watchers);

  const server = http.createServer((request, response) => {
    const route = (request.url ?? '/').split('?')[0];
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-content-type-options', 'nosniff');
    if (route === '/live') return plain(response, 200, 'alive\n');
    if (route === '/ready')
      return plain(response, status.ready ? 200 : 503, status.ready ? 'ready\n' : 'not ready\n');
    if (route === '/status') return json(response, 200, status.snapshot());
    if (request.method !== 'GET' && request.method !== 'HEAD') return notReady(response);
    if (accepts(request, 'text/event-stream')) return watch(response, watchers, options);
    if (accepts(request, 'text/html')) return page(response, options.facts(), status);
    if (accepts(request, 'application/json')) return json(response, 503, status.snapshot());
    return notReady(response);
  });
  const port = await listen(server, options.host, options.port);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        push.stop();
        for (const watcher of watchers) watcher.end();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const accepts = (request: IncomingMessage, type: string) => (request.headers.accept ?? '').includes(type);

function plain(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}

function json(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json', 'x-haic-instance-status': '1' });
  response.end(JSON.stringify(body));
}

function notReady(response: ServerResponse): void {
  response.setHeader('retry-after', '2');
  response.setHeader('x-haic-instance-status', '1');
  plain(response, 503, 'This instance is not ready yet.\n');
}

function page(response: ServerResponse, facts: PageFacts, status: LaunchStatus): void {
  const nonce = randomBytes(16).toString('base64');
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
    'x-haic-instance-status': '1',
  });
  response.end(renderStatusPage(facts, status.snapshot(), nonce));
}

function watch(response: ServerResponse, watchers: Set<ServerResponse>, source: Source): void {
  if (watchers.size >= maximumWatchers) {
    notReady(response);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-haic-instance-status': '1' });
  response.write(eventOf(source));
  watchers.add(response);
  response.on('close', () => watchers.delete(response));
}

function eventOf({ status, facts }: Source): string {
  const snapshot = status.snapshot();
  const body = JSON.stringify({ title: documentTitle(facts(), snapshot), html: renderLive(snapshot) });
  return `event: status\ndata: ${body}\n\n${status.ready ? 'event: ready\ndata: {}\n\n' : ''}`;
}

function pushChanges(options: Source, watchers: Set<ServerResponse>): { stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const send = () => {
    timer = undefined;
    const event = eventOf(options);
    // A reader that does not keep up gets the next picture instead of a queue.
    for (const watcher of watchers) if (!watcher.writableNeedDrain) watcher.write(event);
  };
  const schedule = () => {
    if (watchers.size > 0) timer ??= setTimeout(send, pushIntervalMs);
  };
  const forgetStatus = options.status.onChange(schedule);
  const forgetLog = options.log.onLine(schedule);
  return {
    stop: () => {
      forgetStatus();
      forgetLog();
      if (timer !== undefined) {
        clearTimeout(timer);
        send();
      }
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
