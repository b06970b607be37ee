import { readFile } from 'node:fs/promises';
import type { Haic } from './haic.ts';

export interface ApiAnswer<T> {
  readonly status: number;
  readonly body: T;
}

/** A call of the public API with a bearer token; the answer as it is, whatever its status. */
export async function callApi<T = Record<string, unknown>>(
  haic: Pick<Haic, 'url'>,
  token: string | undefined,
  method: string,
  path: string,
  body?: unknown,
): Promise<ApiAnswer<T>> {
  const response = await fetch(`${haic.url}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined
        ? {}
        : { 'content-type': body instanceof Uint8Array ? 'application/octet-stream' : 'application/json' }),
    },
    ...(body === undefined
      ? {}
      : { body: body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T };
}

export interface ApiInstance {
  readonly id: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly url: string;
  readonly restartCount: number;
}

export async function importBundle(
  haic: Pick<Haic, 'url'>,
  token: string,
  file: string,
  visibility = 'PRIVATE',
): Promise<{ id: string }> {
  const answer = await callApi<{ id: string; detail?: string }>(
    haic,
    token,
    'POST',
    `/api/v1/apps?visibility=${visibility}`,
    await readFile(file),
  );
  if (answer.status !== 201)
    throw new Error(`Import answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export async function runApp(
  haic: Pick<Haic, 'url'>,
  token: string,
  appId: string,
  visibility = 'PRIVATE',
): Promise<ApiInstance> {
  const answer = await callApi<ApiInstance>(haic, token, 'POST', `/api/v1/apps/${appId}/instances`, {
    visibility,
  });
  if (answer.status !== 201) throw new Error(`Run answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Waits until the instance has the status; fails at once with its log when it is FAILED instead. */
export async function waitForStatus(
  haic: Pick<Haic, 'url'>,
  token: string,
  id: string,
  status: string,
  seconds = 120,
): Promise<ApiInstance> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const { body } = await callApi<ApiInstance>(haic, token, 'GET', `/api/v1/instances/${id}`);
    if (body.status === status) return body;
    if (Date.now() > until || (body.status === 'FAILED' && status === 'DEPLOYED')) {
      throw new Error(
        `Instance is ${body.status} (${body.reason}: ${body.message}), not ${status}.\n${await instanceLog(haic, token, id)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export async function instanceLog(
  haic: Pick<Haic, 'url'>,
  token: string,
  id: string,
  query = '',
): Promise<string> {
  const response = await fetch(`${haic.url}/api/v1/instances/${id}/logs${query}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return response.text();
}
