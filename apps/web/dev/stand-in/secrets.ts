import { text } from 'node:stream/consumers';
import type { Secret, SecretDetails, SecretValue, SecretVisibility } from '../../src/secrets/queries.ts';
import { type Call, json, matches, page } from './api.ts';
import { notFound, Problem } from './problem.ts';
import { ada } from './samples.ts';

export interface StandInSecret {
  secret: Secret;
  values: Record<string, SecretValue>;
  usedBy: SecretDetails['usedBy'];
  deleted: boolean;
}

const hour = 3_600_000;
const ago = (hours: number): string => new Date(Date.now() - hours * hour).toISOString();

function sample(
  name: string,
  values: Record<string, SecretValue>,
  more: Partial<Secret> = {},
  usedBy: SecretDetails['usedBy'] = { apps: [], others: 0 },
): StandInSecret {
  const secret: Secret = {
    ...{ name, visibility: 'PRIVATE', parent: '', keys: Object.keys(values).sort(), owner: ada },
    ...{ createdAt: ago(600), updatedAt: ago(30), updatedBy: ada.username },
    ...{ canChange: true, canReveal: true },
    ...more,
  };
  return { secret, values, usedBy, deleted: false };
}

export const sampleSecrets = (): StandInSecret[] => [
  sample(
    'warehouse.readonly',
    { username: 'analyst', password: 'stand-in-value-1' },
    {},
    {
      apps: [
        {
          ...{ id: 'a0000000-0000-4000-8000-000000000001', title: 'Churn explorer', version: '1.2.0' },
          ...{ owner: 'ada', keys: ['password', 'username'] },
        },
      ],
      others: 2,
    },
  ),
  sample('mail', { token: 'stand-in-value-2' }),
  sample(
    'maps-service',
    { 'api-key': 'stand-in-value-3', certificate: { base64: 'AP8Q' } },
    {
      ...{ visibility: 'ALL_USERS', owner: { subject: 'sub-grace', username: 'grace.hopper' } },
      ...{ updatedBy: 'grace.hopper', updatedAt: ago(2000) },
    },
  ),
  sample('licence', { key: 'stand-in-value-4' }, { visibility: 'APP', parent: 'app:ai.h2o.churn' }),
];

interface Body {
  readonly name: string;
  readonly visibility?: SecretVisibility;
  readonly parent?: string;
  readonly values: Record<string, SecretValue>;
  readonly keep?: readonly string[];
}

/** `/api/v1/secrets…` in memory. Who is no administrator changes only their own. */
export async function answerSecrets(call: Call, name?: string, verb?: string): Promise<void> {
  const { standIn, request, response, url } = call;
  const body = /^(POST|PUT)$/.test(request.method ?? '')
    ? (JSON.parse((await text(request)) || '{}') as Body)
    : undefined;
  if (name === undefined) return body === undefined ? list(call) : create(call, body);
  const visibility = url.searchParams.get('visibility') ?? 'PRIVATE';
  const found = standIn.secrets.find(
    ({ secret }) => secret.name === name && secret.visibility === visibility,
  );
  if (found === undefined || (found.deleted && verb !== 'restore')) throw notFound('This secret');
  if (verb === 'restore') found.deleted = false;
  else if (verb === 'reveal') {
    standIn.revealed.push(name);
    return json(response, 200, { secret: seen(call, found), values: found.values });
  } else if (request.method === 'DELETE') {
    if (found.usedBy.apps.length + found.usedBy.others > 0)
      throw new Problem(409, 'secret_in_use', `The secret "${name}" is used by an app.`);
    found.deleted = true;
    response.writeHead(204).end();
    return;
  } else if (body !== undefined) {
    const kept = Object.entries(found.values).filter(([key]) => body.keep?.includes(key));
    found.values = { ...Object.fromEntries(kept), ...body.values };
    const keys = Object.keys(found.values).sort();
    found.secret = { ...found.secret, keys, updatedAt: ago(0), updatedBy: ada.username };
  }
  json(response, 200, { ...seen(call, found), usedBy: found.usedBy });
}

function seen({ standIn }: Call, { secret }: StandInSecret): Secret {
  const may = secret.visibility === 'PRIVATE' || standIn.me.isAdmin;
  return { ...secret, canChange: may, canReveal: may };
}

function list(call: Call): void {
  const visibility = call.url.searchParams.get('visibility');
  const query = call.url.searchParams.get('query') ?? '';
  const found = call.standIn.secrets
    .filter(({ deleted }) => !deleted)
    .map((one) => seen(call, one))
    .filter((one) => (visibility === null ? one.visibility !== 'APP' : one.visibility === visibility))
    .filter((one) => matches(query, one.name));
  page(
    call,
    found.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  );
}

function create(call: Call, { name, visibility = 'PRIVATE', parent = '', values }: Body): void {
  const { secrets } = call.standIn;
  const there = secrets.find(({ secret }) => secret.name === name && secret.visibility === visibility);
  if (there?.deleted === false)
    throw new Problem(
      409,
      'secret_exists',
      `There is a secret "${name}" already. Change that one, or choose another name.`,
    );
  const made = sample(name, values, { visibility, parent, createdAt: ago(0), updatedAt: ago(0) });
  call.standIn.secrets = [...secrets.filter((one) => one !== there), made];
  json(call.response, 201, seen(call, made));
}
