import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { NewServiceAccount, ServiceAccount } from '../../src/admin/service-accounts.ts';
import { type Call, json, matches, page } from './api.ts';
import { notFound, Problem } from './problem.ts';

const day = 86_400_000;
const at = (days: number): string => new Date(Date.now() + days * day).toISOString();

const sample = (name: string, more: Partial<ServiceAccount> = {}): ServiceAccount => ({
  id: randomUUID(),
  name,
  clientId: `haic-sa-${name}`,
  description: '',
  owner: 'ada',
  roles: ['user'],
  groups: [],
  state: 'ACTIVE',
  disabled: false,
  expiresAt: at(90),
  createdAt: at(-30),
  lastUsedAt: null,
  secretCreatedAt: at(-30),
  earlierSecretEndsAt: null,
  ...more,
});

export const sampleServiceAccounts = (): ServiceAccount[] => [
  sample('nightly-build', {
    description: 'Imports the apps of the analysts each night',
    groups: ['analysts'],
    lastUsedAt: at(-0.3),
  }),
  sample('old-dashboard', { state: 'EXPIRED', expiresAt: at(-4), owner: 'grace.hopper', lastUsedAt: at(-5) }),
  sample('orphan', { state: 'OWNER_UNAVAILABLE', owner: null, expiresAt: null }),
];

const secret = () => `haic_sa_${randomUUID().replaceAll('-', '')}`;

export async function answerServiceAccounts(call: Call, name?: string, sub?: string): Promise<void> {
  const { standIn, request, response, url } = call;
  if (name === undefined && request.method === 'POST') {
    const body = JSON.parse(await text(request)) as NewServiceAccount;
    if (standIn.serviceAccounts.some((one) => one.name === body.name))
      throw new Problem(
        409,
        'username_taken',
        `There is a person or a service account "${body.name}" already.`,
      );
    const account = sample(body.name, { ...body, expiresAt: body.expiresAt ?? null, createdAt: at(0) });
    standIn.serviceAccounts.push(account);
    return json(response, 201, { account, secret: secret() });
  }
  if (name === undefined) {
    const query = url.searchParams.get('query') ?? '';
    const [role, group] = [url.searchParams.get('role'), url.searchParams.get('group')];
    const found = standIn.serviceAccounts.filter(
      (one) =>
        matches(query, one.name, one.description) &&
        (role === null || one.roles.includes(role)) &&
        (group === null || one.groups.includes(group)),
    );
    return page(
      call,
      found.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
  }
  const account = standIn.serviceAccounts.find((one) => one.name === name);
  if (account === undefined) throw notFound('This service account');
  const others = standIn.serviceAccounts.filter((one) => one !== account);
  if (request.method === 'DELETE') {
    standIn.serviceAccounts = others;
    response.writeHead(204).end();
    return;
  }
  if (sub === 'secret') return json(response, 200, { account, secret: secret() });
  const { disabled } = JSON.parse(await text(request)) as { disabled: boolean };
  const changed: ServiceAccount = { ...account, disabled, state: disabled ? 'DISABLED' : 'ACTIVE' };
  standIn.serviceAccounts = [...others, changed];
  json(response, 200, changed);
}
