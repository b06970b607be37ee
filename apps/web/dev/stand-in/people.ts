import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { PersonalToken } from '../../src/account/queries.ts';
import type { NewPerson, Person, PersonChanges } from '../../src/admin/queries.ts';
import { type Call, json, matches, page } from './api.ts';
import { answerBelongings, answerHandOver, pauseAllOf } from './belongings.ts';
import { notFound, Problem } from './problem.ts';
import { ada, grace } from './samples.ts';

export interface StandInPerson {
  person: Person;
  tokens: PersonalToken[];
}

const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

const token = (kind: PersonalToken['kind'], minutes: number, used: number | null): PersonalToken => ({
  id: randomUUID(),
  kind,
  client: { SESSION: 'haic-portal', PLATFORM_TOKEN: 'haic-platform', CLI_TOKEN: 'haic-cli' }[kind],
  createdAt: ago(minutes),
  lastUsedAt: used === null ? null : ago(used),
  current: false,
});

const someone = (username: string, more: Partial<Person> = {}): Person => ({
  subject: randomUUID(),
  username,
  name: username,
  email: '',
  roles: ['user'],
  groups: [],
  disabled: false,
  createdAt: ago(60 * 24 * 9),
  lastSignInAt: null,
  ...more,
});

export const samplePeople = (): StandInPerson[] => [
  {
    person: someone('ada', {
      ...ada,
      name: 'Ada Lovelace',
      email: 'ada@example.org',
      roles: ['admin', 'user'],
      groups: ['analysts'],
      lastSignInAt: ago(50),
    }),
    tokens: [
      { ...token('SESSION', 50, 0), current: true },
      token('SESSION', 60 * 24 * 3, 60 * 26),
      token('PLATFORM_TOKEN', 60 * 24 * 5, 12),
      token('CLI_TOKEN', 60 * 24 * 2, null),
    ],
  },
  {
    person: someone('grace.hopper', {
      ...grace,
      lastSignInAt: ago(200),
      name: 'Grace Hopper',
      email: 'grace.hopper@a-rather-long-domain-name.example.org',
      groups: ['analysts', 'compilers', 'navy'],
      roles: ['user', 'reviewer'],
    }),
    tokens: [token('SESSION', 200, 5), token('PLATFORM_TOKEN', 60 * 24, 60)],
  },
  { person: someone('guest', { name: 'A guest', roles: ['visitor'] }), tokens: [] },
  { person: someone('linus', { name: 'Linus', disabled: true }), tokens: [] },
  ...Array.from({ length: 60 }, (_, n) => ({
    person: someone(`member${String(n + 1).padStart(2, '0')}`, {
      name: `Member ${n + 1}`,
      groups: ['members'],
    }),
    tokens: [],
  })),
];

const ownAccount = () => new Problem(409, 'own_account', 'You cannot disable yourself.');

export async function answerPeople(call: Call, username?: string, sub?: string, id?: string): Promise<void> {
  const { standIn, request, response } = call;
  if (!standIn.me.isAdmin)
    throw new Problem(403, 'administrators_only', 'Only administrators may see and change people.');
  if (username === undefined) return request.method === 'POST' ? add(call) : list(call);
  if (sub === 'belongings') return answerBelongings(call, username);
  if (sub === 'hand-over') return answerHandOver(call, username);
  const found = standIn.people.find(({ person }) => person.username === username);
  if (found === undefined) throw notFound(`The person "${username}"`);
  const own = found.person.subject === standIn.me.subject;
  if (sub === 'tokens') return answerTokens(call, found, id);
  if (sub === 'password') {
    found.tokens = [];
    return json(response, 200, { password: 'fresh-basil-quartz-91' });
  }
  if (request.method === 'DELETE') {
    if (own) throw ownAccount();
    standIn.people.splice(standIn.people.indexOf(found), 1);
    pauseAllOf(call, username);
    response.writeHead(204).end();
    return;
  }
  if (request.method === 'PATCH') {
    const changes = JSON.parse(await text(request)) as PersonChanges;
    if (changes.disabled === true && own) throw ownAccount();
    if (changes.disabled === true) {
      found.tokens = [];
      pauseAllOf(call, username);
    }
    found.person = { ...found.person, ...changes };
  }
  json(response, 200, found.person);
}

export const answerOwnTokens = (call: Call, id?: string): void => {
  const own = call.standIn.people.find(({ person }) => person.subject === call.standIn.me.subject);
  if (own === undefined) throw notFound('This person');
  answerTokens(call, own, id);
};

function answerTokens({ request, response }: Call, of: StandInPerson, id?: string): void {
  if (request.method !== 'DELETE') {
    json(response, 200, { items: of.tokens });
    return;
  }
  if (!of.tokens.some((one) => one.id === id)) throw notFound('This session or token');
  of.tokens = of.tokens.filter((one) => one.id !== id);
  response.writeHead(204).end();
}

function list(call: Call): void {
  const query = call.url.searchParams.get('query') ?? '';
  const [role, group] = [call.url.searchParams.get('role'), call.url.searchParams.get('group')];
  const people = call.standIn.people.map(({ person }) => person);
  page(
    call,
    people
      .filter(({ username, name, email, groups }) => matches(query, username, name, email, ...groups))
      .filter(({ roles }) => role === null || roles.includes(role))
      .filter(({ groups }) => group === null || groups.includes(group))
      .toSorted((a, b) => (a.username < b.username ? -1 : 1)),
  );
}

async function add({ standIn, request, response }: Call): Promise<void> {
  const body = JSON.parse(await text(request)) as NewPerson;
  if (standIn.people.some(({ person }) => person.username === body.username))
    throw new Problem(409, 'username_taken', `There is a person "${body.username}" already.`);
  const person = someone(body.username, { ...body, createdAt: new Date().toISOString() });
  standIn.people.push({ person, tokens: [] });
  json(response, 201, { person, password: 'amber-otter-violin-27' });
}
