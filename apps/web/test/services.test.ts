import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { readSession } from '../src/api/http.ts';
import { ApiError } from '../src/api/problem.ts';
import { callService } from '../src/api/services.ts';

const realFetch = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = realFetch;
});

type Asked = { path: string; method: string; headers: Headers; body: unknown };

function answering(answer: (path: string) => Response): Asked[] {
  const asked: Asked[] = [];
  globalThis.fetch = (async (path: string, init: RequestInit) => {
    const { method = 'GET', headers, body } = init;
    asked.push({ path, method, headers: new Headers(headers), body });
    return path === '/session' ? Response.json({ signedIn: true, csrfToken: 'c' }) : answer(path);
  }) as typeof fetch;
  return asked;
}

describe('calls of protobuf-shaped services', () => {
  test("go through the portal's door, with the CSRF token when they change something", async () => {
    const asked = answering(() => Response.json({ secret: { name: 'workspaces/w/secrets/s' } }));
    await readSession();
    const read = await callService('secure-store', '/v1/workspaces/w/secrets/s');
    assert.deepEqual(read, { secret: { name: 'workspaces/w/secrets/s' } });
    await callService('secure-store', '/v1/workspaces/w/secrets?secretId=s', { method: 'POST', body: {} });
    assert.deepEqual(
      asked.slice(1).map(({ path, method, headers }) => [path, method, headers.get('x-haic-csrf')]),
      [
        ['/api/services/secure-store/v1/workspaces/w/secrets/s', 'GET', null],
        ['/api/services/secure-store/v1/workspaces/w/secrets?secretId=s', 'POST', 'c'],
      ],
    );
  });

  test('throw their refusals as all others are, with our stable code', async () => {
    answering(() =>
      Response.json(
        { code: 6, message: 'That name is taken.', details: [] },
        { status: 409, headers: { 'haic-code': 'name_taken', 'x-request-id': 'r1' } },
      ),
    );
    await assert.rejects(
      callService('authz', '/v1/workspaces'),
      (error: unknown) =>
        error instanceof ApiError &&
        error.status === 409 &&
        error.code === 'name_taken' &&
        error.requestId === 'r1' &&
        error.message === 'That name is taken.',
    );
  });
});
