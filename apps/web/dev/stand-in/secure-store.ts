import { text } from 'node:stream/consumers';
import type { StoredSecret } from '../../src/secrets/workspace-queries.ts';
import { isAtLeast } from '../../src/workspaces/roles.ts';
import { type Call, json } from './api.ts';
import { notFound, Problem } from './problem.ts';

export interface StandInStored {
  secret: StoredSecret;
  /** In base64, the oldest first. */
  versions: string[];
}

const stored = (name: string, ...values: readonly string[]): StandInStored => ({
  secret: { name, state: 'STATE_ACTIVE', displayName: '', createTime: new Date().toISOString() },
  versions: values.map((value) => Buffer.from(value).toString('base64')),
});

/** In the workspaces that ada shares: one where she is an owner and one where she only looks. */
export const sampleStored = (workspaces: readonly string[]): StandInStored[] =>
  workspaces.map((name) => stored(`${name}/secrets/service-token`, 'stand-in-value-8', 'stand-in-value-9'));

/** `/api/services/secure-store/v1/…` in memory. */
export async function answerSecureStore(call: Call): Promise<void> {
  const { standIn, request, response, url } = call;
  const [, name = '', verb] =
    /^\/api\/services\/secure-store\/v1\/([^:]*)(?::(\w+))?$/.exec(decodeURIComponent(url.pathname)) ?? [];
  const [workspace, kind, id, sub, version] = [
    name.split('/').slice(0, 2).join('/'),
    ...name.split('/').slice(2),
  ];
  const role = standIn.workspaces.find((one) => one.workspace.name === workspace)?.workspace.role ?? '';
  const mayEdit = isAtLeast(role, 'ROLE_EDITOR');
  const refuseUnless = (allowed: boolean) => {
    if (!allowed) throw new Problem(403, 'not_allowed', 'This needs the role editor in the workspace.');
  };
  if (kind !== 'secrets') throw notFound('That');
  const found = standIn.stored.find(({ secret }) => secret.name === `${workspace}/secrets/${id}`);
  const body = JSON.parse((await text(request)) || '{}') as { value?: string };
  if (id === undefined && request.method === 'POST') {
    refuseUnless(mayEdit);
    const made = stored(`${workspace}/secrets/${url.searchParams.get('secretId')}`);
    standIn.stored.push(made);
    return json(response, 200, { secret: made.secret });
  }
  if (id === undefined) {
    const secrets = standIn.stored
      .filter(({ secret }) => secret.name.startsWith(`${workspace}/`) && secret.state === 'STATE_ACTIVE')
      .map(({ secret }) => secret);
    return json(response, 200, { secrets, nextPageToken: '', totalSize: secrets.length });
  }
  if (found === undefined) throw notFound('This secret');
  const nameOf = (index: number) => `${found.secret.name}/versions/v${index + 1}`;
  if (sub === 'versions' && version !== undefined) {
    refuseUnless(mayEdit);
    standIn.revealed.push(name);
    return json(response, 200, { name, value: found.versions[Number(version.slice(1)) - 1] ?? '' });
  }
  if (sub === 'versions' && request.method === 'POST') found.versions.push(body.value ?? '');
  if (sub === 'versions')
    return json(response, 200, {
      secretVersions: found.versions
        .map((_, index) => ({ name: nameOf(index), createTime: found.secret.createTime, value: '' }))
        .toReversed(),
      nextPageToken: '',
      totalSize: found.versions.length,
    });
  refuseUnless(mayEdit);
  const state = verb === 'undelete' ? 'STATE_ACTIVE' : 'STATE_DELETED';
  found.secret = { ...found.secret, state };
  json(response, 200, { secret: found.secret });
}
