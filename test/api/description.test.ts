import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { errorCodes } from '@haic/server/error-codes.ts';
import { callApi, importBundle, runApp } from '../support/api.ts';
import { bundleSample, type Haic, startHaic } from '../support/haic.ts';
import { type Existing, runSchemathesis } from './schemathesis.ts';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, { content?: Record<string, unknown> }>>;
}

interface Description {
  readonly openapi: string;
  readonly tags: readonly { name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { properties: { code: { enum: string[] } } }>>;
  };
}

describe('the API and its description', () => {
  let haic: Haic;

  before(async () => {
    // Schemathesis is to judge the answers here, not Haic itself, and it asks faster than any person may.
    haic = await startHaic({
      HAIC_CHECK_ANSWERS: 'false',
      HAIC_API_REQUESTS_PER_MINUTE: '0',
      HAIC_INSTANCE_LIMIT: '1',
    });
    await haic.addUser('somebody');
    await haic.addUser('ordinary');
    await haic.addUser('throwaway', { roles: ['admin', 'user'] });
  });
  after(() => haic.stop());

  it('describes every operation: by name, in a sentence, with who may call it and what it answers', async () => {
    const { openapi, paths, tags, components } = (
      await callApi<Description>(haic, undefined, 'GET', '/api/v1/openapi.json')
    ).body;
    assert.match(openapi, /^3\.1\./);
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
    );
    assert.ok(operations.length > 30, `${operations.length} operations`);
    const known = new Set(tags.map(({ name }) => name));
    for (const { name, operation } of operations) {
      assert.match(operation.operationId ?? '', /^[a-z][A-Za-z]+$/, name);
      assert.ok((operation.summary ?? '').length > 2, `${name} has no summary`);
      assert.ok(
        operation.tags?.length === 1 && known.has(operation.tags[0] ?? ''),
        `${name} has no known tag`,
      );
      const statuses = Object.keys(operation.responses);
      assert.ok(
        statuses.some((status) => /^[23]/.test(status)),
        `${name} does not say what it answers`,
      );
      const described = Object.values(operation.responses).flatMap(({ content }) =>
        Object.values(content ?? {}),
      );
      assert.ok(described.length > 0, `${name} describes no body`);
    }
    const ids = operations.map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length, 'names are unique');
    const open = operations
      .filter(({ operation }) => operation.security?.length === 0)
      .map(({ name }) => name);
    assert.deepEqual(
      open.filter((name) => !name.includes('/.ai.h2o.cloud.discovery/')),
      ['get /api/v1/openapi.json', 'get /version'],
    );
    assert.deepEqual(components.schemas.Problem?.properties.code.enum, Object.keys(errorCodes).sort());
  });

  /** What the person has, so that operations meet something that exists and not only a 404. */
  async function thingsOf(token: string, sample: string): Promise<Existing> {
    const known = await importBundle(haic, token, await bundleSample(haic, sample));
    const instance = await runApp(haic, token, known.id);
    const group = await callApi<{ id: string }>(haic, token, 'POST', '/api/v1/groups', { name: 'Fuzzed' });
    const ofApp = { 'path.id': known.id };
    const ofInstance = { 'path.id': instance.id };
    const somebody = { 'path.username': 'somebody' };
    return {
      ...Object.fromEntries(
        ['getApp', 'changeApp', 'downloadApp', 'checkAppPreconditions', 'visitApp', 'runApp'].map((id) => [
          id,
          ofApp,
        ]),
      ),
      getAppImage: { ...ofApp, 'path.name': 'icon.png' },
      ...Object.fromEntries(
        [
          'getInstance',
          'getInstanceStatus',
          'changeInstance',
          'suspendInstance',
          'resumeInstance',
          'extendInstance',
        ].map((id) => [id, ofInstance]),
      ),
      ...Object.fromEntries(
        ['getPerson', 'changePerson', 'getBelongings', 'listTokensOfPerson', 'replacePassword'].map((id) => [
          id,
          somebody,
        ]),
      ),
      ...(group.status === 201
        ? {
            getGroup: { 'path.id': group.body.id },
            addGroupMember: { 'path.id': group.body.id, ...somebody },
          }
        : {}),
      // Without an end to wait for.
      readInstanceLog: { ...ofInstance, 'query.follow': 'false' },
      // What one has is to be there until the end.
      deleteApp: { 'path.id': randomUUID() },
      terminateInstance: { 'path.id': randomUUID() },
    };
  }

  // The ordinary person first: the administrator may remove people, though never the one it runs as.
  for (const [username, sample] of [
    ['ordinary', 'hello'],
    ['throwaway', 'who-am-i'],
  ] as const)
    it(`answers ${username === 'ordinary' ? 'an ordinary person' : 'an administrator'} as it is described, whatever is sent`, async () => {
      const token = await haic.accessToken(username);
      const existing = await thingsOf(token, sample);
      // A stream that goes on for as long as the instance does is tested elsewhere.
      await runSchemathesis(haic, { token, existing, examples: 5, excluded: ['followInstance'] });
      assert.equal((await callApi(haic, token, 'GET', '/api/v1/me')).status, 200, 'it still is who it was');
    });
});
