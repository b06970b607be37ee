import { createHmac } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { LauncherConfig, SecretValues } from '@haic/services/app-store/scheduler/launcher-config.ts';
import { http, https } from './builtin.ts';
import { trustedCertificates } from './certificates.ts';

export interface StoreAnswer {
  readonly status: number;
  readonly body: string;
}

/** What the launcher asks of the App Store; each call is signed with the instance's own key. */
export interface StoreClient {
  /** Writes the bundle to `file`. Throws StoreRefusal when asking again would not help. */
  downloadBundle(file: string, options: { maximumBytes: number; signal: AbortSignal }): Promise<void>;
  requestToken(options: { signal: AbortSignal }): Promise<StoreAnswer>;
  /** Throws StoreRefusal when asking again would not help. */
  requestSecrets(options: { signal: AbortSignal }): Promise<SecretValues>;
}

/** The store understood and said no. */
export class StoreRefusal extends Error {}

/** `X-Haic-Timestamp` and `X-Haic-Signature` of one call. */
export function signCall(
  key: Buffer,
  method: string,
  path: string,
  seconds = Math.floor(Date.now() / 1000),
): Record<string, string> {
  const signature = createHmac('sha256', key).update(`${method}\n${path}\n${seconds}`).digest('hex');
  return { 'x-haic-timestamp': String(seconds), 'x-haic-signature': signature };
}

/** Plain node:http: a whole HTTP client library would cost each instance several megabytes. */
export function connectStore(config: LauncherConfig): StoreClient {
  const key = Buffer.from(config.hmacKey, 'hex');
  const base = `${config.storeUrl}/api/launcher/v1/instances/${encodeURIComponent(config.instanceId)}`;
  const certificates = trustedCertificates(config.network.caFile);
  const call = (method: string, name: string, signal: AbortSignal) =>
    send(new URL(`${base}/${name}`), method, key, certificates, signal);
  return {
    downloadBundle: async (file, { maximumBytes, signal }) => {
      const response = await call('GET', 'bundle', signal);
      const status = response.statusCode ?? 0;
      if (status !== 200) throw refusalOf(status, await readText(response));
      await pipeline(response, limitBytes(maximumBytes), createWriteStream(file, { mode: 0o600 }), {
        signal,
      });
    },
    requestToken: async ({ signal }) => {
      const response = await call('POST', 'token', signal);
      return { status: response.statusCode ?? 0, body: await readText(response) };
    },
    requestSecrets: async ({ signal }) => {
      const response = await call('POST', 'secrets', signal);
      const status = response.statusCode ?? 0;
      const text = await readText(response, secretsLimit);
      if (status !== 200) throw refusalOf(status, text);
      return JSON.parse(text) as SecretValues;
    },
  };
}

function refusalOf(status: number, text: string): Error {
  const message = `The App Store answered ${status}${detailOf(text)}`;
  return isFinal(status) ? new StoreRefusal(message) : new Error(message);
}

/** 401 may be a clock that is being set right, 404 and 409 a store that is just coming up with this instance: those are asked again. */
const isFinal = (status: number) => status === 403 || status === 410;

function send(
  url: URL,
  method: string,
  key: Buffer,
  ca: string[] | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = {
      method,
      agent: false,
      signal,
      headers: { ...signCall(key, method, url.pathname), 'content-length': '0' },
    };
    const request: ClientRequest =
      url.protocol === 'https:'
        ? https().request(url, { ...options, ...(ca === undefined ? {} : { ca }) })
        : http.request(url, options);
    request.setTimeout(30_000, () => request.destroy(new Error('no answer for 30 seconds')));
    request.on('response', resolve);
    request.on('error', reject);
    request.end();
  });
}

const answerLimit = 1024 * 1024;
const secretsLimit = 64 * 1024 * 1024;

async function readText(response: IncomingMessage, limit = answerLimit): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    text += chunk;
    if (text.length > limit) throw new Error('The App Store sent an answer that is too long.');
  }
  return text;
}

function detailOf(text: string): string {
  try {
    const problem = JSON.parse(text) as { detail?: unknown };
    return typeof problem.detail === 'string' ? `: ${problem.detail.slice(0, 1000)}` : '.';
  } catch {
    return '.';
  }
}

function limitBytes(maximum: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > maximum)
        done(new StoreRefusal(`The bundle is larger than ${Math.floor(maximum / 2 ** 20)} MiB.`));
      else done(null, chunk);
    },
  });
}
