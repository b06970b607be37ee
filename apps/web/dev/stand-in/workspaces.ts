import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { Member, Workspace } from '../../src/workspaces/queries.ts';
import { isAtLeast, type Role } from '../../src/workspaces/roles.ts';
import { type Call, json, matches } from './api.ts';
import type { StandInPerson } from './people.ts';
import { notFound, Problem } from './problem.ts';
import { ada } from './samples.ts';

export interface StandInWorkspace {
  workspace: Workspace;
  members: Member[];
}

const day = 86_400_000;
const at = (days: number): string => new Date(Date.now() + days * day).toISOString();
const etag = () => `"${randomUUID()}"`;

const sample = (displayName: string, more: Partial<Workspace> = {}): Workspace => ({
  name: `workspaces/${randomUUID()}`,
  displayName,
  description: '',
  createTime: at(-20),
  creator: `users/${ada.subject}`,
  kind: 'WORKSPACE_KIND_SHARED',
  role: 'ROLE_OWNER',
  etag: etag(),
  ...more,
});

const memberOf = (workspace: Workspace, person: StandInPerson['person'], role: Role): Member => ({
  name: `${workspace.name}/members/${randomUUID()}`,
  member: `users/${person.subject}`,
  role,
  displayName: person.name,
  loginPrincipal: person.username,
  active: !person.disabled,
  etag: etag(),
});

const groupOf = (workspace: Workspace, name: string, role: Role): Member => ({
  ...{ name: `${workspace.name}/members/${randomUUID()}`, member: `groups/${name}`, role },
  ...{ displayName: name, loginPrincipal: '', active: true, etag: etag() },
});

/** What ada sees: her own, one that is shared, one where she only looks, one whose owners are gone, and one that is deleted. */
export function sampleWorkspaces(people: readonly StandInPerson[]): StandInWorkspace[] {
  const [me, other, third] = people.map(({ person }) => person);
  if (me === undefined || other === undefined || third === undefined) throw new Error('Too few people.');
  const own = sample('Personal workspace of ada', { kind: 'WORKSPACE_KIND_PERSONAL' });
  const everybodys = sample('Global', {
    ...{ kind: 'WORKSPACE_KIND_GLOBAL', role: 'ROLE_ADMIN', description: 'Shared by everybody.' },
  });
  const fraud = sample('Fraud detection', {
    description: 'Models and connections of the team that looks for fraud in card payments.',
  });
  const churn = sample('Churn', { role: 'ROLE_VIEWER', description: 'Who leaves, and why' });
  const orphan = sample('Left behind', { role: 'ROLE_UNSPECIFIED' });
  const old = sample('Old experiments', { deleteTime: at(-3), purgeTime: at(27) });
  return [
    { workspace: own, members: [memberOf(own, me, 'ROLE_OWNER')] },
    { workspace: everybodys, members: [] },
    {
      workspace: fraud,
      members: [
        memberOf(fraud, me, 'ROLE_OWNER'),
        memberOf(fraud, other, 'ROLE_EDITOR'),
        groupOf(fraud, 'analysts', 'ROLE_VIEWER'),
      ],
    },
    { workspace: churn, members: [memberOf(churn, other, 'ROLE_OWNER'), memberOf(churn, me, 'ROLE_VIEWER')] },
    { workspace: orphan, members: [{ ...memberOf(orphan, third, 'ROLE_OWNER'), active: false }] },
    { workspace: old, members: [memberOf(old, me, 'ROLE_OWNER')] },
  ];
}

/** `/api/services/authz/v1/…` in memory. */
export async function answerWorkspaces(call: Call): Promise<void> {
  const { standIn, request, response, url } = call;
  const [kind, id = '', sub, memberId] = url.pathname
    .replace('/api/services/authz/v1/', '')
    .split('/')
    .map(decodeURIComponent);
  const filter = url.searchParams.get('filter') ?? '';
  if (kind === 'users') {
    const found = standIn.people
      .map(({ person }) => person)
      .filter((p) => matches(filter, p.name, p.username));
    return json(response, 200, {
      users: found.map((person) => ({
        ...{ name: `users/${person.subject}`, displayName: person.name, active: !person.disabled },
        ...{ loginPrincipal: person.username, emails: [] },
      })),
      nextPageToken: '',
    });
  }
  if (kind === 'groups') {
    const found = standIn.groups.filter(({ name }) => matches(filter, name));
    return json(response, 200, {
      groups: found.map(({ name }) => ({ name: `groups/${name}`, displayName: name })),
      nextPageToken: '',
    });
  }
  const body = request.method === 'GET' ? {} : (JSON.parse((await text(request)) || '{}') as Fields);
  if (id === '') return request.method === 'POST' ? create(call, body) : list(call, filter);
  const [ownId, verb] = id.split(':');
  const found = standIn.workspaces.find(({ workspace }) => workspace.name === `workspaces/${ownId}`);
  if (found === undefined) throw notFound('This workspace');
  if (sub === 'members') return members(call, found, memberId, body);
  return one(call, found, verb, body);
}

interface Fields {
  readonly displayName?: string;
  readonly description?: string;
  readonly member?: string;
  readonly role?: Role;
  readonly owner?: string;
}

function list({ standIn, response, url }: Call, filter: string): void {
  const query = /^display_name:"(.*)" OR /.exec(filter)?.[1] ?? '';
  const isDeleted = url.searchParams.get('state') === 'WORKSPACE_STATE_DELETED';
  const all = url.searchParams.get('showAll') === 'true';
  json(response, 200, {
    workspaces: standIn.workspaces
      .map(({ workspace }) => workspace)
      .filter(({ deleteTime }) => (deleteTime !== undefined) === isDeleted)
      .filter(({ role }) => all || role !== 'ROLE_UNSPECIFIED')
      .filter(({ displayName, description }) => matches(query, displayName, description))
      .toSorted((a, b) => (a.displayName < b.displayName ? -1 : 1)),
    nextPageToken: '',
  });
}

function create({ standIn, response }: Call, { displayName = '', description = '' }: Fields): void {
  const workspace = sample(displayName, { description, createTime: at(0) });
  const [me] = standIn.people;
  standIn.workspaces.push({
    workspace,
    members: me === undefined ? [] : [memberOf(workspace, me.person, 'ROLE_OWNER')],
  });
  json(response, 200, { workspace });
}

function one(call: Call, found: StandInWorkspace, verb: string | undefined, body: Fields): void {
  const { standIn, request, response } = call;
  const { deleteTime, purgeTime, ...kept } = found.workspace;
  if (verb === 'undelete') found.workspace = kept;
  if (verb === 'leave') {
    if (found.members.filter(({ role }) => role === 'ROLE_OWNER').length === 1 && kept.role === 'ROLE_OWNER')
      throw new Problem(
        409,
        'last_owner',
        'This is the last owner of the workspace. Make another person an owner first, or delete the workspace.',
      );
    standIn.workspaces = standIn.workspaces.filter((each) => each !== found);
    return void json(response, 200, {});
  }
  if (verb === 'assignOwner') {
    const person = standIn.people.find((each) => `users/${each.person.subject}` === body.owner);
    if (person !== undefined) found.members.push(memberOf(found.workspace, person.person, 'ROLE_OWNER'));
  }
  if (request.method === 'DELETE') found.workspace = { ...kept, deleteTime: at(0), purgeTime: at(30) };
  if (request.method === 'PATCH')
    found.workspace = { ...found.workspace, ...body, etag: etag() } as Workspace;
  json(response, 200, { workspace: found.workspace });
}

function members(call: Call, found: StandInWorkspace, id: string | undefined, body: Fields): void {
  const { standIn, request, response } = call;
  const { workspace } = found;
  if (request.method === 'GET')
    return void json(response, 200, { members: found.members, nextPageToken: '' });
  if (!isAtLeast(workspace.role, 'ROLE_ADMIN'))
    throw new Problem(403, 'role_too_low', 'You are viewer here.');
  if (request.method === 'POST') {
    const { member = '', role = 'ROLE_VIEWER' } = body;
    const person = standIn.people.find((each) => `users/${each.person.subject}` === member);
    const added =
      person === undefined
        ? groupOf(workspace, member.replace('groups/', ''), role)
        : memberOf(workspace, person.person, role);
    found.members.push(added);
    return void json(response, 200, { member: added });
  }
  const at = found.members.findIndex(({ name }) => name.endsWith(`/${id}`));
  const before = found.members[at];
  if (before === undefined) throw notFound('This member');
  const owners = found.members.filter(({ role }) => role === 'ROLE_OWNER');
  if (before.role === 'ROLE_OWNER' && owners.length === 1)
    throw new Problem(
      409,
      'last_owner',
      'This is the last owner of the workspace. Make another person an owner first, or delete the workspace.',
    );
  if (request.method === 'DELETE') found.members.splice(at, 1);
  else found.members[at] = { ...before, role: body.role ?? before.role, etag: etag() };
  json(response, 200, request.method === 'DELETE' ? {} : { member: found.members[at] });
}
