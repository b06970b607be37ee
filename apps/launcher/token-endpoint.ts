import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { http } from './builtin.ts';
import type { InstanceLog } from './instance-log.ts';
import { loopback } from './ports.ts';
import type { StoreClient } from './store.ts';

export interface TokenEndpoint {
  readonly url: string;
  /** What the app holds as its platform token; worth something at this endpoint only. */
  readonly handle: string;
  close(): void;
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const oauthError = (status: number, error: string, description: string): Answer => ({
  status,
  body: { error, error_description: description },
});
const maximumForm = 64 * 1024;
const storeTimeoutMs = 4_500;

/**
 * How the official clients get tokens inside an instance that only its owner opens (design §6): the refresh_token grant of
 * contract authn.md, answered with short tokens that the store mints for this app acting for its owner. Nothing is kept: each answer
 * is a fresh one, so a withdrawn instance has no token beyond those it already holds.
 */
export async function startTokenEndpoint(store: StoreClient, log: InstanceLog): Promise<TokenEndpoint> {
  const handle = `haic-handle-${randomBytes(32).toString('base64url')}`;
  log.mask(handle);
  let inFlight: Promise<Answer> | undefined;
  /** Many clients of one app that start together cost the store one call. */
  const mint = () => {
    inFlight ??= mintToken(store, log).finally(() => {
      inFlight = undefined;
    });
    return inFlight;
  };
  const server = http.createServer((request, response) => {
    void answerTo(request, handle, mint)
      .catch(() => oauthError(400, 'invalid_request', 'The request could not be read.'))
      .then((answer) => send(response, answer));
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, loopback, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return {
    url: `http://${loopback}:${port}/token`,
    handle,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answerTo(
  request: IncomingMessage,
  handle: string,
  mint: () => Promise<Answer>,
): Promise<Answer> {
  if (request.url?.split('?')[0] !== '/token')
    return oauthError(404, 'invalid_request', 'There is only /token.');
  if (request.method !== 'POST') return oauthError(405, 'invalid_request', 'Use POST.');
  const form = await readForm(request);
  const grant = form.get('grant_type');
  if (grant === null) return oauthError(400, 'invalid_request', 'grant_type is missing.');
  if (grant !== 'refresh_token')
    return oauthError(400, 'unsupported_grant_type', 'Only refresh_token is served here.');
  const presented = form.get('refresh_token');
  if (presented === null) return oauthError(400, 'invalid_request', 'refresh_token is missing.');
  if (!sameText(presented, handle))
    return oauthError(400, 'invalid_grant', 'This token is not the one that this instance was given.');
  return mint();
}

async function mintToken(store: StoreClient, log: InstanceLog): Promise<Answer> {
  let answer: { status: number; body: string };
  try {
    answer = await store.requestToken({ signal: AbortSignal.timeout(storeTimeoutMs) });
  } catch {
    log.line('launcher', 'The platform could not be reached for a token; the app was told to try again.');
    return oauthError(503, 'temporarily_unavailable', 'The platform cannot be reached. Try again.');
  }
  if (answer.status === 200) return tokenAnswer(answer.body);
  if (answer.status >= 500 || answer.status === 429)
    return oauthError(503, 'temporarily_unavailable', 'The platform cannot answer now. Try again.');
  log.line('launcher', 'The platform gives this instance no token for its owner any more.');
  return oauthError(
    400,
    'invalid_grant',
    'This instance may not act for its owner: it is not private any more, or it is being stopped.',
  );
}

function tokenAnswer(body: string): Answer {
  try {
    const token = JSON.parse(body) as { access_token?: unknown; expires_in?: unknown };
    if (typeof token.access_token === 'string' && typeof token.expires_in === 'number') {
      const { access_token, expires_in } = token;
      return { status: 200, body: { access_token, expires_in, token_type: 'Bearer' } };
    }
  } catch {
    // Answered below.
  }
  return oauthError(503, 'temporarily_unavailable', 'The platform gave an answer that is no token.');
}

/** Of digests, so that neither content nor length shows in the time it takes. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    text += chunk;
    if (text.length > maximumForm) throw new Error('The form is too long.');
  }
  return new URLSearchParams(text);
}

function send(response: ServerResponse, answer: Answer): void {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' };
  response.writeHead(answer.status, headers).end(JSON.stringify(answer.body));
}
