import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { HaicError, invalid, messageOf, notFound, tooLarge, unavailable } from '@haic/kit/errors.ts';
import type { EnvironmentEvent } from './client.ts';
import { parseEnvironmentRequest } from './model.ts';
import type { Environments } from './service.ts';

const maxBody = 4 * 1024 * 1024;
const maxRequests = 128;

/**
 * The installer's HTTP face. Every app on this machine can reach it, so it has only verbs that no app can hurt another with: nothing is
 * listed, changed or removed. Plain node:http, because this process stays for as long as the platform runs.
 */
export function createEnvironmentsServer(
  environments: Environments,
  log: (message: string, facts?: Record<string, unknown>) => void = () => undefined,
) {
  let active = 0;
  const server = createServer(
    { requestTimeout: 15 * 60_000, headersTimeout: 15_000 },
    (request, response) => {
      active += 1;
      handle(request, response)
        .catch(async (error: unknown) => {
          await drain(request);
          answerProblem(error, response);
        })
        .finally(() => {
          active -= 1;
        });
    },
  );
  server.maxConnections = 512;
  return server;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (active > maxRequests)
      throw unavailable('installer_busy', 'The installer has too much to do. Try again in a moment.');
    const gone = goneSignal(response);
    // Not by URL: it would resolve `..` before anything here has looked at it.
    const pathname = (request.url ?? '/').split('?')[0] ?? '/';
    const wheel = /^\/wheels\/([^/]+)\/([^/]+)$/.exec(pathname);
    const keep = /^\/environments\/([0-9a-f]{64})\/keep$/.exec(pathname);
    const route = `${request.method} ${pathname}`;
    if (request.method === 'HEAD' && wheel?.[1] !== undefined && wheel[2] !== undefined)
      return answer(response, (await environments.hasWheel(wheel[1], decode(wheel[2]))) ? 204 : 404);
    if (request.method === 'PUT' && wheel?.[1] !== undefined && wheel[2] !== undefined) {
      const fileName = decode(wheel[2]);
      await environments.putWheel({ sha256: wheel[1], fileName, content: request, signal: gone });
      return answer(response, 204);
    }
    if (request.method === 'POST' && keep?.[1] !== undefined) {
      if (!environments.keep(keep[1])) throw notFound('This environment');
      return answer(response, 204);
    }
    if (route === 'POST /environments') return prepare(request, response, gone);
    if (route === 'GET /waved')
      return answer(response, 200, await environments.waved({ onLine: (line) => log(line), signal: gone }));
    if (route === 'GET /health')
      return answer(response, 200, {
        status: 'ok',
        pythons: environments.interpreters.map((item) => item.version),
      });
    throw notFound(route.slice(0, 100));
  }

  async function prepare(
    request: IncomingMessage,
    response: ServerResponse,
    gone: AbortSignal,
  ): Promise<void> {
    const wanted = parseEnvironmentRequest(await readJson(request));
    const send = (event: EnvironmentEvent) => response.write(`${JSON.stringify(event)}\n`);
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.flushHeaders();
    const outcome = await environments.prepare(wanted, {
      onLine: (line) => void send({ type: 'log', line: line.slice(0, 2_000) }),
      signal: gone,
    });
    send(outcome);
    response.end();
  }

  function answerProblem(error: unknown, response: ServerResponse): void {
    if (response.destroyed) return;
    const known = error instanceof HaicError ? error : undefined;
    if (known === undefined) log('a request failed', { error: messageOf(error) });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    answer(response, known?.status ?? 500, {
      code: known?.code ?? 'internal',
      detail: known?.message ?? 'Something went wrong in the installer; its log says what.',
    });
  }
}

function answer(response: ServerResponse, status: number, body?: unknown): void {
  if (body === undefined) {
    response.writeHead(status).end();
    return;
  }
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
}

/**
 * Reads what is still on its way and throws it away: node:http closes a connection whose request it has not read, and a client that is
 * still writing would see that instead of its answer. The server's requestTimeout ends it at the latest.
 */
async function drain(request: IncomingMessage): Promise<void> {
  if (request.readableEnded || request.destroyed) return;
  request.resume();
  await new Promise((resolve) => request.once('end', resolve).once('close', resolve));
}

/** Aborts when the client goes away before it has its answer. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort(new Error('The client is gone.'));
  });
  return gone.signal;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBody) throw tooLarge('request_too_large', 'The request is larger than 4 MB.');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw invalid('invalid_request', 'The request is not JSON.', { cause: error });
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw invalid('invalid_request', 'The path is not valid.', { cause: error });
  }
}
