import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { Group } from '../../src/admin/groups.ts';
import { type Call, json, matches, page } from './api.ts';
import { notFound, Problem } from './problem.ts';

const names = ['analysts', 'compilers', 'members', 'navy', 'A group that nobody is in yet'];
const made = new Date(Date.now() - 9 * 86_400_000).toISOString();
export const sampleGroups = (): Group[] =>
  names.map((name) => ({ id: randomUUID(), name, members: 0, serviceAccounts: 0, createdAt: made }));

const descriptions: Readonly<Record<string, string>> = {
  admin:
    'Looks after the platform: people, groups and roles, and all apps and instances of everybody. Cannot open the pages of a private instance of somebody else, and cannot act in anybody else’s name.',
  user: 'Imports apps and shares them, sees and runs the apps that are shared with all users, and opens the instances that are shared with all users.',
  visitor:
    'Opens their own instances, and public ones by their address. Imports nothing, sees no logs and no apps in the store.',
};

export async function answerGroups(call: Call, id?: string, sub?: string, username?: string): Promise<void> {
  const { standIn, request, response } = call;
  const counted = (group: Group): Group => ({
    ...group,
    members: standIn.people.filter(({ person }) => person.groups.includes(group.name)).length,
    serviceAccounts: standIn.serviceAccounts.filter(({ groups }) => groups.includes(group.name)).length,
  });
  if (id === undefined && request.method === 'POST') {
    const { name } = JSON.parse(await text(request)) as { name: string };
    refuseTaken(call, name);
    const group = {
      id: randomUUID(),
      name,
      members: 0,
      serviceAccounts: 0,
      createdAt: new Date().toISOString(),
    };
    standIn.groups.push(group);
    return json(response, 201, group);
  }
  if (id === undefined) {
    const query = call.url.searchParams.get('query') ?? '';
    const found = standIn.groups.filter(({ name }) => matches(query, name)).map(counted);
    return page(
      call,
      found.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
  }
  const group = standIn.groups.find((candidate) => candidate.id === id);
  if (group === undefined) throw notFound('This group');
  if (sub === 'members') return changeLabels(call, 'groups', username, group.name);
  if (request.method === 'DELETE') {
    standIn.groups = standIn.groups.filter((candidate) => candidate !== group);
    relabel(call, (groups) => groups.filter((name) => name !== group.name));
    response.writeHead(204).end();
    return;
  }
  if (request.method !== 'PATCH') return json(response, 200, counted(group));
  const { name } = JSON.parse(await text(request)) as { name: string };
  refuseTaken(call, name, group);
  const renamed = { ...group, name };
  standIn.groups = standIn.groups.map((candidate) => (candidate === group ? renamed : candidate));
  relabel(call, (groups) => groups.map((one) => (one === group.name ? name : one)));
  json(response, 200, counted(renamed));
}

function refuseTaken({ standIn }: Call, name: string, except?: Group): void {
  const same = (other: Group) => other !== except && other.name.toLowerCase() === name.toLowerCase();
  if (standIn.groups.some(same))
    throw new Problem(409, 'group_name_taken', `There is a group of the name "${name}" already.`);
}

function relabel({ standIn }: Call, change: (groups: readonly string[]) => readonly string[]): void {
  for (const one of standIn.people) one.person = { ...one.person, groups: change(one.person.groups) };
}

function changeLabels(call: Call, of: 'groups' | 'roles', username = '', label = ''): void {
  const accounts = call.standIn.serviceAccounts;
  const account = accounts.find(({ name }) => name === username);
  if (account !== undefined) {
    const others = account[of].filter((one) => one !== label);
    const changed = { ...account, [of]: call.request.method === 'PUT' ? [...others, label] : others };
    call.standIn.serviceAccounts = accounts.map((one) => (one === account ? changed : one));
    call.response.writeHead(204).end();
    return;
  }
  const found = call.standIn.people.find(({ person }) => person.username === username);
  if (found === undefined) throw notFound(`The person "${username}"`);
  const without = found.person[of].filter((one) => one !== label);
  const isOwn = found.person.subject === call.standIn.me.subject;
  if (isOwn && of === 'roles' && label === 'admin' && call.request.method === 'DELETE')
    throw new Problem(409, 'own_account', 'You cannot take the administrator’s role from yourself.');
  found.person = { ...found.person, [of]: call.request.method === 'PUT' ? [...without, label] : without };
  call.response.writeHead(204).end();
}

export function answerRoles(call: Call, role?: string, username?: string): void {
  if (role !== undefined) {
    changeLabels(call, 'roles', username, role);
    return;
  }
  const given = call.standIn.people.flatMap(({ person }) => person.roles);
  const all = [...new Set([...Object.keys(descriptions), ...given])];
  json(call.response, 200, {
    items: all.map((name) => ({
      name,
      description: descriptions[name] ?? '',
      members: given.filter((one) => one === name).length,
      serviceAccounts: call.standIn.serviceAccounts.filter(({ roles }) => roles.includes(name)).length,
    })),
  });
}
