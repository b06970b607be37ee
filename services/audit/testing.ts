import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Principal, partyKindOf, wellKnownClients } from '@haic/kit/auth/principal.ts';
import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import { unauthenticated } from '@haic/kit/errors.ts';
import { mountGateway } from '@haic/kit/grpc-gateway/mount.ts';
import { createHttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import type { Migrations } from '@haic/platform/database/port.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import type { WorkspacesClient } from '../workspaces/client.ts';
import { type AuditOptions, auditMigrations, createAudit } from './audit.ts';
import { createChain } from './chain.ts';
import { auditOutboxMigrations } from './outbox/migrations.ts';
import { createFileWitness } from './witness.ts';

export const prefix = '/audit-trail';
export const silent = createLogger('test', 'silent');

/** Tokens are `<who>@<client>`; who has the role `admin` by that name only. */
export const verifyToken: TokenVerifier = async (token) => {
  const [who = '', party = ''] = token.split('@');
  const kind = partyKindOf(party);
  if (kind === undefined) throw unauthenticated();
  return principal(who, party);
};

export const idOf = (who: string): string =>
  `00000000-0000-4000-8000-${Buffer.from(who).toString('hex').padEnd(12, '0').slice(0, 12)}`;

export const principal = (who: string, party: string = wellKnownClients.portal): Principal => ({
  ...{ subject: idOf(who), username: who, name: undefined, email: undefined, groups: [] },
  roles: who === 'admin' ? ['admin', 'user'] : ['user'],
  ...{ party, partyKind: partyKindOf(party) ?? 'platform', instanceId: undefined },
  ...{ expiresAt: 4_000_000_000, token: `${who}@${party}` },
});

export type TestAudit = Awaited<ReturnType<typeof startTestAudit>>;

/** A whole trail on real PostgreSQL, mounted on a server as in core. */
export async function startTestAudit(
  changes: Partial<AuditOptions> & { workspaces?: WorkspacesClient; migrations?: readonly Migrations[] } = {},
) {
  const { migrations = [], ...options } = changes;
  const { database, url, stop } = await startTestDatabase();
  for (const each of [auditMigrations, auditOutboxMigrations, ...migrations]) await migrate(database, each);
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-audit-'));
  const masterKey = randomBytes(32);
  const witnessFile = path.join(directory, 'audit', 'witness.json');
  const begin = (more: Partial<AuditOptions> = {}) =>
    createAudit({
      database,
      masterKey,
      witnessFile,
      usernameOf: async (subject) => (subject === idOf('ada') ? 'ada' : undefined),
      retentionDays: 0,
      logger: silent,
      ...options,
      ...more,
    });
  const audit = begin();
  const server = createHttpServer({ logger: silent, verifyToken });
  await mountGateway(server, {
    prefix,
    services: audit.services,
    deed: 'see what is served',
    logger: silent,
  });
  const chain = createChain(masterKey);
  const call = async (token: string, address: string, body: unknown) => {
    const answer = await server.inject({
      method: 'POST',
      url: `${prefix}${address}`,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      payload: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.statusCode, body: answer.json() };
  };
  return {
    database,
    databaseUrl: url,
    audit,
    /** Another process, as it were, with the same trail. */
    begin,
    server,
    chain,
    masterKey,
    witnessFile,
    witness: createFileWitness(witnessFile, chain),
    call,
    create: (event: unknown, eventId: string = randomUUID()) =>
      call(service, `/v1/events?eventId=${eventId}`, event),
    search: (filter: unknown = {}, page: object = {}, token: string = `admin@${wellKnownClients.portal}`) =>
      call(token, '/v1/events:search', { filter, ...page }),
    stop: async () => {
      await audit.stop();
      await server.close();
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export const service = `core@${wellKnownClients.core}`;

/** An event as a client of the API sends it. */
export const event = (changes: Readonly<Record<string, unknown>> = {}) => ({
  eventTime: '2026-05-01T12:00:00Z',
  eventSource: 'haic-test',
  action: 'actions/test/things/CREATE',
  readOnly: false,
  principal: `users/${idOf('ada')}`,
  sourceIpAddress: '203.0.113.7',
  resource: '//test/workspaces/w1/things/1',
  requestParameters: {},
  userAgent: 'test',
  metadata: {},
  type: 'TYPE_API',
  ...changes,
});
