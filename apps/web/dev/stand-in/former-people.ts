import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { FormerPerson } from '../../src/admin/former-people.ts';
import type { DriveOperation } from '../../src/drive/types.ts';
import { type Call, json, matches, page } from './api.ts';
import { notFound, Problem } from './problem.ts';

const day = 86_400_000;
const at = (days: number): string => new Date(Date.now() + days * day).toISOString();

export const formerPerson = (
  username: string,
  removed: number,
  more: Partial<FormerPerson> = {},
): FormerPerson => ({
  ...{ subject: randomUUID(), username, endedAt: at(-removed), purgeAt: at(30 - removed) },
  usage: { bytes: 1_240_000, objects: 12, quota: null },
  trash: { bytes: 0, objects: 0, quota: null },
  operation: null,
  ...more,
});

/** The next to be purged first, as the platform tells them. */
export const sampleFormerPeople = (): FormerPerson[] => [
  formerPerson('', 29.5, {
    subject: '5d0c8d2e-0077-4000-8000-000000000077',
    usage: { bytes: 800, objects: 1, quota: null },
  }),
  formerPerson('alan.turing', 12, {
    usage: { bytes: 48_300_000_000, objects: 14_210, quota: null },
    trash: { bytes: 5_200_000, objects: 7, quota: null },
  }),
  formerPerson('katherine.johnson.of.the.orbital.mechanics.group', 3, {
    operation: {
      ...{ id: randomUUID(), kind: 'MOVE', bucket: 'of katherine', state: 'FAILED', done: 11, failed: 1 },
      ...{ total: 12, trashId: null },
      failures: [
        {
          key: 'apollo/trajectories.parquet',
          code: 'QuotaExceeded',
          message: 'It does not fit into the quota of 10 GB.',
        },
      ],
    },
  }),
  formerPerson('joan.clarke', 0.1, {
    usage: { bytes: 0, objects: 0, quota: null },
    trash: { bytes: 4_000, objects: 2, quota: null },
  }),
];

export async function answerFormerPeople(call: Call, subject?: string, deed?: string): Promise<void> {
  const { standIn, request, response, url } = call;
  const { drive } = standIn;
  if (!standIn.me.isAdmin)
    throw new Problem(
      403,
      'administrators_only',
      'Only administrators see what those who are gone left in Drive.',
    );
  if (subject === undefined) {
    const query = url.searchParams.get('query') ?? '';
    const now = drive.formerPeople.map((one) => ({
      ...one,
      operation: drive.operations.get(one.operation?.id ?? '') ?? one.operation,
    }));
    return page(
      call,
      now.filter((one) => matches(query, one.username, one.subject)),
    );
  }
  const person = drive.formerPeople.find((one) => one.subject === subject);
  if (person === undefined) throw notFound('Somebody who is gone and left something in Drive');
  const operation: DriveOperation = {
    ...{ id: randomUUID(), kind: deed === 'purge' ? 'DELETE' : 'MOVE', bucket: `of ${person.username}` },
    ...{ state: 'SUCCEEDED', done: person.usage.objects, failed: 0, total: person.usage.objects },
    ...{ failures: [], trashId: null },
  };
  if (deed === 'hand-over') {
    const { to } = JSON.parse(await text(request)) as { to: string };
    drive.handedOver.push(`${person.username} to ${to}`);
  }
  const others = drive.formerPeople.filter((one) => one !== person);
  const told = drive.slow ? { ...operation, state: 'RUNNING' as const, done: 0 } : operation;
  drive.operations.set(told.id, told);
  const trash = deed === 'hand-over' && person.trash.objects > 0;
  const rest = drive.slow
    ? [person]
    : trash
      ? [{ ...person, usage: { bytes: 0, objects: 0, quota: null } }]
      : [];
  drive.formerPeople = [...others, ...rest.map((one) => ({ ...one, operation: told }))];
  json(response, 200, told);
}
