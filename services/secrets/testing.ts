import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { callAuditInto } from '@haic/kit/audit/testing.ts';
import { type Principal, partyKindOf, wellKnownClients } from '@haic/kit/auth/principal.ts';
import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import { notFound, unauthenticated } from '@haic/kit/errors.ts';
import { mountGateway } from '@haic/kit/grpc-gateway/mount.ts';
import { createMemoryIdempotencyStore } from '@haic/kit/http/idempotency/memory.ts';
import { describeApi } from '@haic/kit/http/openapi.ts';
import { createHttpServer, type HttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import type { AuditedAction, AuditWriter } from '@haic/services/audit/client.ts';
import type { WorkspaceRole, WorkspacesClient } from '@haic/services/workspaces/client.ts';
import { secretsMigrations } from './migrations.ts';
import { createKeySource } from './sealing/key-source.ts';
import type { KeySource } from './sealing/wrapping-keys.ts';
import { createSecrets, type Secrets, type SecretsOptions } from './secrets.ts';

/** Who has which role in which workspace; everybody owns a personal one and edits the global one. */
export interface TestWorkspaces extends WorkspacesClient {
  readonly roles: Map<string, Record<string, WorkspaceRole>>;
}

export function createTestWorkspaces(): TestWorkspaces {
  const roles = new Map<string, Record<string, WorkspaceRole>>();
  return {
    roles,
    accessOf: async ({ subject }, asked) => {
      const own = `workspaces/of-${subject}`;
      if (asked === 'workspaces/default' || asked === own) return { workspace: own, role: 'owner' };
      const role = asked === 'workspaces/global' ? 'editor' : roles.get(asked)?.[subject];
      if (role === undefined) throw notFound('This workspace');
      return { workspace: asked, role };
    },
    workspacesOf: async ({ subject }) =>
      [...roles].flatMap(([workspace, members]) => {
        const role = members[subject];
        return role === undefined ? [] : [{ workspace, role }];
      }),
  };
}

/** A trail that keeps what it was told in memory, in the order of its being durable, or refuses as one that is away does. */
export interface TestAudit extends AuditWriter {
  readonly actions: AuditedAction[];
  away: boolean;
}

export function createTestAudit(): TestAudit {
  const actions: AuditedAction[] = [];
  return {
    actions,
    away: false,
    async record(action) {
      if (this.away) throw new Error('The audit trail cannot be written.');
      actions.push(action);
    },
  };
}

/** `ada` is Ada at the portal; `ada@haic-app-1` an app that acts for her; `admin` has the role admin. */
export const verifyTestToken: TokenVerifier = async (token) => {
  const [username = '', party = wellKnownClients.portal] = token.split('@');
  const partyKind = partyKindOf(party);
  if (username === '' || partyKind === undefined) throw unauthenticated('This access token is not valid.');
  const principal: Principal = {
    ...{ subject: username, username, name: undefined, email: undefined },
    ...{ roles: username === 'admin' ? ['admin', 'user'] : ['user'], groups: [] },
    ...{ party, partyKind, instanceId: undefined, expiresAt: 4_000_000_000, token },
  };
  return principal;
};

/** Everybody is there; Ada's user name is `ada.name`. */
export const testIdentity: SecretsOptions['identity'] = {
  findPerson: async (subject) => ({
    ...{ subject, username: `${subject}.name`, name: '', email: '', groups: [], roles: [], disabled: false },
  }),
};

/** Where the tests' browsers find Haic; nothing listens there. */
export const publicUrl = 'http://localhost:1';

export interface Answer {
  readonly status: number;
  /** JSON of whatever shape. */
  readonly body: ReturnType<typeof JSON.parse>;
  readonly text: string;
  readonly headers: Record<string, unknown>;
}

export interface TestSecrets {
  readonly database: Database;
  readonly databaseUrl: string;
  readonly server: HttpServer;
  readonly secrets: Secrets;
  readonly workspaces: TestWorkspaces;
  readonly audit: TestAudit;
  readonly keys: KeySource;
  readonly keyFile: string;
  readonly masterKey: Buffer;
  /** Lines of the log. */
  readonly log: string[];
  /** An address of the secure store's own. */
  call(token: string, method: string, path: string, body?: unknown): Promise<Answer>;
  /** Any address. */
  ask(
    token: string,
    method: string,
    url: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  stop(): Promise<void>;
}

export async function startTestSecrets(options: Partial<SecretsOptions> = {}): Promise<TestSecrets> {
  const { database, url, stop } = await startTestDatabase();
  await migrate(database, secretsMigrations);
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-test-secrets-'));
  const keyFile = path.join(directory, 'keys');
  const masterKey = randomBytes(32);
  const keys = options.keys ?? createKeySource({ derived: masterKey, ownFile: keyFile });
  const workspaces = createTestWorkspaces();
  const audit = createTestAudit();
  const log: string[] = [];
  const logger = createLogger('test', 'debug', { write: (line) => log.push(line) });
  const secrets = createSecrets({
    ...{ database, keys, workspaces, audit, logger, publicUrl, verifyToken: verifyTestToken },
    isGone: async () => false,
    identity: testIdentity,
    ...options,
  });
  const calls = callAuditInto((call) => audit.actions.push(call));
  const idempotency = createMemoryIdempotencyStore();
  const server = createHttpServer({ logger, verifyToken: verifyTestToken, idempotency, audit: calls });
  await describeApi(server, {
    ...{ title: 'Haic', version: '1', publicUrl, errorCodes: [] },
    tags: { 'Connected accounts': 'Tried.', 'OAuth clients': 'Tried.' },
    describes: (path) => path.startsWith('/api/v1/'),
  });
  secrets.register(server);
  await mountGateway(server, {
    ...{ prefix: '/secure-store', services: secrets.services, deed: 'use secrets', logger, audit: calls },
  });
  const ask: TestSecrets['ask'] = async (token, method, url, body, headers = {}) => {
    const answer = await server.inject({
      ...{ method: method as 'GET', url },
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const { statusCode: status, body: text } = answer;
    return { status, body: text === '' ? {} : JSON.parse(text), text, headers: answer.headers };
  };
  return {
    ...{ database, databaseUrl: url, server, secrets, workspaces, audit, keys, keyFile, masterKey, log, ask },
    call: (token, method, at, body) => ask(token, method, `/secure-store/v1/${at}`, body),
    stop: async () => {
      await secrets.stop();
      await server.close();
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
