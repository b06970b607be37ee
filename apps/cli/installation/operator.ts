import { Readable } from 'node:stream';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { deadline } from '@haic/kit/deadline.ts';
import { HaicError } from '@haic/kit/errors.ts';
import { callJson, callService, type Fetch } from '@haic/kit/http/client.ts';
import { fetchOverSocket } from '@haic/kit/http/over-socket.ts';
import { clientSecretOf, type Installation, readSecrets } from '@haic/server/installation.ts';
import { readSettings } from '@haic/server/settings.ts';
import { CommandError } from '../terminal.ts';
import { type RunningInstallation, readRecord } from './processes.ts';

/** Calls of whoever owns the machine: over the core's socket, which only they can open, with the operator client's own token. */
export interface Operator {
  call<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T>;
  /** What is streamed as the answer to a GET. */
  open(path: string, signal: AbortSignal): Promise<Readable>;
  close(): Promise<void>;
}

export async function connectOperator(installation: Installation): Promise<Operator> {
  const secrets = await readSecrets(installation).catch(() => {
    throw new CommandError(`There is no Haic in ${installation.home}. Start one: ./haic up`);
  });
  const fetch = fetchOverSocket(installation.coreSocket);
  const clientId = wellKnownClients.operator;
  const running = await readRecord<RunningInstallation>(installation.run, 'installation');
  const settings = readSettings(process.env);
  const secret = clientSecretOf(clientId, settings, secrets);
  const token =
    running?.issuer === undefined
      ? await explainUnavailable(() => clientCredentials(fetch, ownTokenEndpoint, clientId, secret))
      : await clientCredentials(globalThis.fetch, await tokenEndpointOf(running.issuer), clientId, secret);
  return {
    call: <T>(method: string, path: string, body?: unknown) =>
      explainUnavailable(() =>
        callJson<T>(fetch, `http://core${path}`, {
          method,
          token,
          signal: deadline(30_000),
          ...(body === undefined ? {} : { json: body }),
        }),
      ),
    open: (path, signal) =>
      explainUnavailable(async () => {
        const { body } = await callService(fetch, `http://core${path}`, { token, signal });
        return body === null ? Readable.from([]) : Readable.from(body);
      }),
    close: () => fetch.close(),
  };
}

const ownTokenEndpoint = 'http://core/auth/realms/haic/protocol/openid-connect/token';

async function tokenEndpointOf(issuer: string): Promise<string> {
  const address = `${issuer}/.well-known/openid-configuration`;
  return (await callJson<{ token_endpoint: string }>(globalThis.fetch, address, { signal: deadline(10_000) }))
    .token_endpoint;
}

async function clientCredentials(
  fetch: Fetch,
  tokenEndpoint: string,
  clientId: string,
  secret: string,
): Promise<string> {
  const answer = await callJson<{ access_token: string }>(fetch, tokenEndpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`,
    },
    body: 'grant_type=client_credentials',
    signal: deadline(10_000),
  });
  return answer.access_token;
}

async function explainUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HaicError && error.code === 'service_unavailable') {
      throw new CommandError('Haic does not run. Start it: ./haic up');
    }
    throw error;
  }
}
