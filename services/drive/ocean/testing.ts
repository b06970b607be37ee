import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { callAuditInto } from '@haic/kit/audit/testing.ts';
import { type Principal, partyKindOf, wellKnownClients } from '@haic/kit/auth/principal.ts';
import { notFound, unauthenticated } from '@haic/kit/errors.ts';
import { createMemoryIdempotencyStore } from '@haic/kit/http/idempotency/memory.ts';
import { createHttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import type { AuditedAction } from '@haic/services/audit/client.ts';
import type { WorkspaceRole } from '@haic/services/workspaces/client.ts';
import { UnsecuredJWT } from 'jose';
import { createDrive, driveMigrations } from '../drive.ts';
import { createOcean, oceanMigrations } from './ocean.ts';

/** Of the tests: an unsigned token of a subject that is the user name, too. */
export const tokenOf = (username: string, party: string = wellKnownClients.portal): string =>
  new UnsecuredJWT({ sub: username, azp: party, sid: `sign-in-of-${username}` }).encode();

function principalOf(token: string): Principal {
  const { payload } = UnsecuredJWT.decode(token);
  const username = payload.sub ?? '';
  const party = String(payload.azp);
  const partyKind = partyKindOf(party);
  if (username === '' || partyKind === undefined) throw unauthenticated();
  return {
    ...{ subject: username, username, name: undefined, email: undefined, roles: ['user'], groups: [] },
    ...{ party, partyKind, instanceId: undefined, expiresAt: 0, token },
  };
}

export interface Answer {
  readonly status: number;
  /** JSON of whatever shape. */
  readonly json: ReturnType<typeof JSON.parse>;
}

export type TestOcean = Awaited<ReturnType<typeof startTestOcean>>;

/** The API on a real database and store, beside a real Drive that takes the addresses it gives. Workspaces are as the test says. */
export async function startTestOcean(
  makeStore: (options: { directory: string; etags: 'md5' }) => Promise<BlobStore>,
  options: { readonly quota?: number; readonly trashDays?: number } = {},
) {
  const { database, stop: stopDatabase } = await startTestDatabase();
  for (const migrations of [driveMigrations, oceanMigrations]) await migrate(database, migrations);
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-test-ocean-'));
  const blobs = await makeStore({ directory, etags: 'md5' });
  const masterKey = randomBytes(32);
  const logger = createLogger('ocean-test', 'silent');
  /** `<subject> <workspace id>` → role */
  const roles = new Map<string, WorkspaceRole>();
  /** Subjects and sign-ins. */
  const ended = new Set<string>();
  /** Subjects who were removed. */
  const gone = new Set<string>();
  const clock = { aheadMs: 0 };
  /** What the audit trail heard of objects. */
  const heard: AuditedAction[] = [];
  /** What it heard of calls of the API. */
  const told: AuditedAction[] = [];
  const personOf = (subject: string) => ({
    ...{
      subject,
      username: `${subject}!`,
      name: subject,
      email: '',
      groups: [],
      disabled: ended.has(subject),
    },
    roles: subject === 'admin' ? ['admin'] : ['user'],
  });
  const workspaces = {
    accessOf: async ({ subject }: { subject: string }, name: string) => {
      const role = roles.get(`${subject} ${name.replace('workspaces/', '')}`);
      if (role === undefined) throw notFound('This workspace');
      return { workspace: name, role };
    },
    workspacesOf: async ({ subject }: { subject: string }) =>
      [...roles]
        .filter(([key]) => key.startsWith(`${subject} `))
        .map(([key, role]) => ({ workspace: `workspaces/${key.split(' ')[1]}`, role })),
  };
  const shared = {
    ...{ database, blobs, masterKey, workspaces, logger },
    defaultQuota: options.quota ?? 0,
    driveUrl: '',
  };
  const drive = await createDrive({
    ...shared,
    auditObjects: true,
    audit: {
      record: async () => {},
      recordMany: async (actions) => void heard.push(...actions),
      ...callAuditInto(() => {}),
    },
    verifyToken: async (token) => principalOf(token),
    standing: {
      mayStillAct: async ({ subject, signIn }) => !ended.has(subject) && !ended.has(signIn ?? ''),
    },
    publicUrl: 'http://portal.test',
    listen: [{ host: '127.0.0.1', port: 0 }],
  });
  const { port } = await drive.listen();
  const driveUrl = `http://127.0.0.1:${port}`;
  const ocean = await createOcean({
    ...shared,
    driveUrl,
    trashDays: options.trashDays ?? 30,
    uploadDays: 7,
    identity: {
      findPerson: async (subject) => (gone.has(subject) ? undefined : personOf(subject)),
      findPersonByName: async (username) => {
        const subject = username.replace(/!$/, '');
        return gone.has(subject) ? undefined : personOf(subject);
      },
      activeAmong: async (subjects) => subjects.filter((one) => !gone.has(one) && !ended.has(one)),
    },
    isGone: async (subject) => gone.has(subject),
    workspaceExists: async (id) => [...roles.keys()].some((key) => key.endsWith(` ${id}`)),
    now: () => new Date(Date.now() + clock.aheadMs),
  });
  const server = createHttpServer({
    logger,
    verifyToken: async (token) => principalOf(token),
    idempotency: createMemoryIdempotencyStore(),
    audit: callAuditInto((call) => void told.push(call)),
  });
  ocean.register(server);
  await server.ready();
  const api = async (
    who: string,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    address: string,
    body?: object,
  ): Promise<Answer> => {
    const answer = await server.inject({
      ...{ method, url: `/api/v1/drive${address}` },
      headers: { authorization: `Bearer ${tokenOf(who)}` },
      ...(body === undefined ? {} : { payload: body }),
    });
    return { status: answer.statusCode, json: answer.body === '' ? undefined : JSON.parse(answer.body) };
  };
  return {
    ...{ api, server, ocean, drive, driveUrl, roles, ended, gone, clock, database, blobs, heard, told },
    /** By the address that the API gives for it. */
    put: async (who: string, bucket: string, key: string, content: string): Promise<void> => {
      const file = { key, size: Buffer.byteLength(content), modifiedAt: 1, collision: 'REPLACE' };
      const begun = await api(who, 'POST', `/buckets/${bucket}/uploads`, file);
      if (begun.status !== 200) throw new Error(JSON.stringify(begun.json));
      const put = await fetch(begun.json.address.url, { method: 'PUT', body: content });
      if (!put.ok) throw new Error(await put.text());
    },
    names: async (who: string, bucket: string, prefix = ''): Promise<string[]> => {
      const query = new URLSearchParams({ prefix });
      const { json } = await api(who, 'GET', `/buckets/${bucket}/entries?${query}`);
      return json.items.map(({ key }: { key: string }) => key);
    },
    stop: async () => {
      await server.close();
      await ocean.stop();
      await drive.close();
      await stopDatabase();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
