import { text } from 'node:stream/consumers';
import type { DriveQuota } from '../../src/drive/quotas.ts';
import { type Call, json } from './api.ts';
import { notFound, Problem } from './problem.ts';

const usual = 50_000_000_000;

/** By `<people or workspaces>/<id>`: bytes, or null for no limit; what is not in it has the usual one. */
export type Quotas = Map<string, number | null>;

export async function answerQuotas(call: Call, kind: string, id: string): Promise<void> {
  const { standIn, request, response } = call;
  if (!standIn.me.isAdmin)
    throw new Problem(
      403,
      'administrators_only',
      'Only administrators see and change how much others may keep in Drive.',
    );
  const isKnown =
    kind === 'people'
      ? standIn.people.some(({ person }) => person.subject === id)
      : standIn.workspaces.some(({ workspace }) => workspace.name === `workspaces/${id}`);
  if (!isKnown) throw notFound(kind === 'people' ? 'This person' : 'This workspace');
  const { quotas } = standIn.drive;
  const name = `${kind}/${id}`;
  if (request.method === 'DELETE') quotas.delete(name);
  if (request.method === 'PUT')
    quotas.set(name, (JSON.parse(await text(request)) as { quota: number | null }).quota);
  const own = quotas.get(name);
  const quota = own === undefined ? usual : own;
  const answer: DriveQuota = {
    usage: { bytes: 1_240_000_000, objects: 340, quota },
    trash: { bytes: 0, objects: 0, quota },
    isDefault: own === undefined,
  };
  json(response, 200, answer);
}
