import { randomBytes, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { callAuditInto } from '@haic/kit/audit/testing.ts';
import { type Principal, partyKindOf, wellKnownClients } from '@haic/kit/auth/principal.ts';
import { unauthenticated } from '@haic/kit/errors.ts';
import { createMemoryIdempotencyStore } from '@haic/kit/http/idempotency/memory.ts';
import { describeApi } from '@haic/kit/http/openapi.ts';
import { createHttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import type { App } from '@haic/services/app-store/catalog/client.ts';
import type { AuditedAction } from '@haic/services/audit/client.ts';
import { secretsMigrations } from '../migrations.ts';
import { createKeySource } from '../sealing/key-source.ts';
import { createSecrets } from '../secrets.ts';
import { createSecretsOfApps } from './app-secrets.ts';
import { exampleWorkspaces } from './testing.ts';

/** A token of the tests says who, with which roles and by which client: `ada/user/haic-cli`. */
export function principalOfToken(token: string): Principal {
  const [username = '', roles = 'user', party = wellKnownClients.portal] = token.split('/');
  const partyKind = partyKindOf(party);
  if (username === '' || partyKind === undefined) throw unauthenticated();
  return {
    ...{ subject: `sub-${username}`, username, name: undefined, email: undefined },
    ...{ roles: roles.split('+').filter((role) => role !== ''), groups: [] },
    ...{ party, partyKind, instanceId: undefined, expiresAt: 0, token },
  };
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** JSON of whatever shape. */
  readonly json: ReturnType<typeof JSON.parse>;
  readonly headers: Record<string, unknown>;
}

export type TestSecretsOfApps = Awaited<ReturnType<typeof startTestSecretsOfApps>>;

/** The API on a real database and a real secure store; workspaces, the trail and the catalog are in memory. */
export async function startTestSecretsOfApps() {
  const { database, stop: stopDatabase } = await startTestDatabase();
  await migrate(database, secretsMigrations);
  const log: string[] = [];
  const logger = createLogger('test', 'debug', { write: (line) => log.push(line) });
  const workspaces = exampleWorkspaces();
  const trail = { actions: [] as AuditedAction[], down: false };
  const apps: App[] = [];
  const rechecked: string[] = [];
  const secrets = createSecrets({
    database,
    keys: createKeySource({
      derived: randomBytes(32),
      ownFile: path.join(tmpdir(), `haic-no-keys-${randomUUID()}`),
    }),
    workspaces,
    audit: {
      record: async (action) => {
        if (trail.down) throw new Error('The trail cannot be written.');
        trail.actions.push(action);
      },
    },
    isGone: async () => false,
    identity: { findPerson: async () => undefined },
    logger,
    // No browser is sent anywhere here.
    publicUrl: 'http://localhost:1',
    verifyToken: async (token) => principalOfToken(token),
  });
  const ofApps = createSecretsOfApps({
    store: secrets.client,
    workspaces,
    identity: {
      findPerson: async (subject) => ({
        ...{
          subject,
          username: subject.replace('sub-', ''),
          name: '',
          email: '',
          groups: [],
          disabled: false,
        },
        roles: subject === 'sub-root' ? ['user', 'admin'] : ['user'],
      }),
    },
    catalog: () => ({
      appsNaming: async (secret) =>
        apps.filter(({ manifest }) =>
          manifest.env.some(({ from }) => from.kind === 'secret' && from.secret === secret),
        ),
      recheck: async (some) => void rechecked.push(...some.map(({ id }) => id)),
      accessOf: (who, app) => ({
        canSee:
          app.owner.subject === who.subject || app.visibility !== 'PRIVATE' || who.roles.includes('admin'),
        ...{ canRun: true, cannotRunBecause: '', canManage: false },
      }),
    }),
    logger,
  });
  const server = createHttpServer({
    logger,
    idempotency: createMemoryIdempotencyStore(),
    audit: callAuditInto((call) => trail.actions.push(call)),
    verifyToken: async (token) => principalOfToken(token),
  });
  await describeApi(server, {
    ...{ title: 'Haic', version: '1', publicUrl: 'http://localhost', tags: { Secrets: 'Tried.' } },
    ...{ errorCodes: [], describes: () => true },
  });
  ofApps.register(server);

  async function call(
    token: string,
    method: string,
    at: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const answer = await server.inject({
      method: method as 'GET',
      url: `/api/v1/secrets${at}`,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const { statusCode: status, body: text } = answer;
    return { status, text, json: text === '' ? {} : JSON.parse(text), headers: answer.headers };
  }

  return {
    server,
    /** On a port, for real clients. */
    listen: () => server.listen({ host: '127.0.0.1', port: 0 }),
    ...{ database, workspaces, trail, apps, rechecked, log, call },
    stop: async () => {
      await secrets.stop();
      await server.close();
      await stopDatabase();
    },
  };
}

/** An app of that person that names `secret`, with its key `k`. */
export function appNaming(secret: string, importer: string, more: Partial<App> = {}): App {
  const by = { subject: `sub-${importer}`, username: importer };
  return {
    ...{ id: randomUUID(), owner: by, importedBy: by, visibility: 'PRIVATE', longDescription: '' },
    ...{ assets: [], bundleSha256: '', bundleSize: 0, createdAt: new Date(0), updatedAt: new Date(0) },
    precondition: { status: 'PASSED', problems: [], checkedAt: '' },
    manifest: {
      ...{ name: 'ai.example.app', version: '1.0.0', title: `App of ${importer}`, description: '' },
      ...{ longDescriptionPath: undefined, tags: [], lifecycle: 'ON_DEMAND', instanceTimeout: undefined },
      env: [{ name: 'KEY', from: { kind: 'secret', secret, key: 'k', optional: false } }],
      ...{ files: [], linkAddress: undefined },
      runtime: {
        ...{ module: 'app', runtimeVersion: undefined, mode: 'wave', routingMode: 'DOMAIN', port: undefined },
        ...{ oidc: false, sharedMemory: false, volumeMount: undefined, volumeSize: undefined },
        ...{ resourceVolumeSize: undefined, memoryLimit: undefined, memoryReservation: undefined },
        ...{ cpuLimit: undefined, cpuReservation: undefined },
      },
    },
    ...more,
  };
}
