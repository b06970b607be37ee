import { callAuditInto } from '@haic/kit/audit/testing.ts';
import type { PartyKind, Principal } from '@haic/kit/auth/principal.ts';
import { unauthenticated } from '@haic/kit/errors.ts';
import { mountGateway } from '@haic/kit/grpc-gateway/mount.ts';
import { createHttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { connectPostgres, migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import type { AuditedAction } from '@haic/services/audit/client.ts';
import type { IdentityPerson, PeopleDirectory } from '@haic/services/identity/client.ts';
import { createWorkspaces, type Workspaces, workspacesMigrations } from './workspaces.ts';

const logger = createLogger('workspaces-test', 'silent');
export const prefix = '/authz';

/** `ada/user/portal/red+blue`: user name, roles, kind of client, groups. The subject is `sub-ada`. */
export function principalOfToken(token: string): Principal {
  const [username = '', roles = '', partyKind = 'portal', groups = ''] = token.split('/');
  if (username === '') throw unauthenticated();
  const list = (text: string) => text.split('+').filter((each) => each !== '');
  return {
    ...{ subject: `sub-${username}`, username, name: undefined, email: undefined },
    ...{
      roles: list(roles),
      groups: list(groups),
      party: `haic-${partyKind}`,
      partyKind: partyKind as PartyKind,
    },
    ...{ instanceId: undefined, expiresAt: 4_000_000_000, token },
  };
}

export const tokenOf = (username: string, more: { roles?: string; kind?: PartyKind; groups?: string } = {}) =>
  `${username}/${more.roles ?? 'user'}/${more.kind ?? 'portal'}/${more.groups ?? ''}`;

/** Everybody of a small firm, as identity would say. */
export function createTestDirectory() {
  const people = new Map<string, IdentityPerson>();
  const groups = new Set<string>();
  const add = (username: string, disabled = false) =>
    people.set(`sub-${username}`, {
      ...{ subject: `sub-${username}`, username, name: `${username} of the firm`, disabled },
      ...{ email: `${username}@example.com`, roles: ['user'], groups: [] },
    });
  const directory: PeopleDirectory = {
    findPeople: async (subjects) => subjects.flatMap((subject) => people.get(subject) ?? []),
    listPeople: async ({ text, after, limit }) =>
      [...people.values()]
        .filter(({ username, name }) => username.includes(text) || name.includes(text))
        .sort((a, b) => (a.username < b.username ? -1 : 1))
        .filter(({ username }) => after === undefined || username > after.username)
        .slice(0, limit),
    listGroups: async ({ text, after, limit }) =>
      [...groups]
        .sort()
        .filter((name) => name.includes(text) && (after === undefined || name > after))
        .slice(0, limit),
    hasGroup: async (name) => groups.has(name),
    goneAmong: async (subjects) => subjects.filter((subject) => people.get(subject)?.disabled !== false),
  };
  return { directory, people, groups, add };
}

/** What the answers of all methods say; in one answer is what its method has. */
export interface AnswerJson {
  readonly workspace: WorkspaceJson;
  readonly workspaces: readonly WorkspaceJson[];
  readonly member: MemberJson;
  readonly members: readonly MemberJson[];
  readonly user: UserJson;
  readonly users: readonly UserJson[];
  readonly groups: readonly GroupJson[];
  readonly nextPageToken: string;
  readonly totalSize: number;
  readonly code: number | string;
  readonly message: string;
  readonly detail: string;
}

export interface WorkspaceJson {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly updater: string;
  readonly updateTime: string;
  readonly deleter: string;
  readonly deleteTime: string;
  readonly purgeTime: string;
  readonly personalWorkspaceSubject: string;
  readonly kind: string;
  readonly role: string;
  readonly etag: string;
}

export interface MemberJson {
  readonly name: string;
  readonly member: string;
  readonly role: string;
  readonly displayName: string;
  readonly loginPrincipal: string;
  readonly createTime: string;
  readonly updateTime: string;
  readonly etag: string;
}

export interface UserJson {
  readonly name: string;
  readonly displayName: string;
  readonly active: boolean;
  readonly loginPrincipal: string;
  readonly emails: readonly { readonly address: string }[];
}

export interface GroupJson {
  readonly name: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: AnswerJson;
}

export type TestWorkspaces = Awaited<ReturnType<typeof startTestWorkspaces>>;

/** The service as it is composed, on a real server and database. Tokens and people are made up; the trail is an array. */
export async function startTestWorkspaces(options: { clock?: () => Date } = {}) {
  const { database, url, stop: stopDatabase } = await startTestDatabase();
  await migrate(database, workspacesMigrations);
  const { directory, people, groups, add } = createTestDirectory();
  for (const name of ['ada', 'bob', 'cleo', 'dan', 'root', 'vic']) add(name);
  for (const name of ['red', 'blue']) groups.add(name);
  const audited: AuditedAction[] = [];
  const audit = { record: async (action: AuditedAction) => void audited.push(action) };
  const parts = {
    directory,
    audit,
    logger,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  };
  const workspaces = await createWorkspaces({ database, ...parts });
  const server = createHttpServer({ logger, verifyToken: async (token) => principalOfToken(token) });
  await mountGateway(server, {
    ...{ prefix, services: workspaces.services, deed: 'see workspaces', logger },
    audit: callAuditInto((call) => audited.push(call)),
  });
  workspaces.register(server, '/mlops');
  const base = await server.listen({ port: 0, host: '127.0.0.1' });

  async function call(method: string, path: string, token: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${base}${path.startsWith('/v1') ? prefix : ''}${path}`, {
      method,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: text === '' ? {} : JSON.parse(text) };
  }

  /** Another process of the platform, with a connection of its own to the same database. */
  async function another(): Promise<{ workspaces: Workspaces; stop(): Promise<void> }> {
    const own = connectPostgres({ url, applicationName: 'another' });
    const other = await createWorkspaces({ database: own, ...parts });
    return {
      workspaces: other,
      stop: async () => {
        await other.stop();
        await own.close();
      },
    };
  }

  return {
    ...{ workspaces, database, url, base, call, another, people, groups, addPerson: add, audited },
    /** Makes a workspace of `owner`, who is a full user, with these other members; returns its name. */
    make: async (owner: string, members: Readonly<Record<string, string>> = {}): Promise<string> => {
      const made = await call('POST', '/v1/workspaces', tokenOf(owner), { displayName: `Of ${owner}` });
      const { name } = made.json.workspace;
      for (const [member, role] of Object.entries(members)) {
        const added = await call('POST', `/v1/${name}/members`, tokenOf(owner), { member, role });
        if (added.status !== 200) throw new Error(JSON.stringify(added.json));
      }
      return name;
    },
    memberNamed: async (workspace: string, member: string, token: string) => {
      const { json } = await call('GET', `/v1/${workspace}/members`, token);
      const found = json.members.find((each) => each.member === member);
      if (found === undefined) throw new Error(`${workspace} has no member ${member}.`);
      return found;
    },
    stop: async () => {
      await server.close();
      await workspaces.stop();
      await stopDatabase();
    },
  };
}
