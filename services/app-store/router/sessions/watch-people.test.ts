import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '@haic/kit/logging.ts';
import { mostAskedAbout } from '@haic/services/identity/client.ts';
import type { PortalSession } from '../model.ts';
import { watchPeople } from './watch-people.ts';

type Parts = Parameters<typeof watchPeople>[0];

/** A router's sessions, counted as they end; test/issuers has the real ones with a real Keycloak. */
function router(signedIn: readonly string[], change: Partial<Parts> = {}) {
  const ended: string[] = [];
  const exchanged: string[] = [];
  const open = new Map<string, PortalSession>();
  const watch = watchPeople({
    people: { activeAmong: async (subjects) => subjects.filter((subject) => !subject.startsWith('ended')) },
    store: {
      subjectsAfter: async (after, limit) => signedIn.filter((subject) => subject > after).slice(0, limit),
    },
    sessions: {
      endBySubject: async (subject) => void ended.push(subject),
      current: (id) => open.get(id),
    },
    freshTokens: { keepFresh: async (session) => exchanged.push(session.id) > 0 },
    live: { sessionIds: () => [...open.keys(), 'read by nobody yet'] },
    logger: createLogger('test', 'silent'),
    ...change,
  });
  watch.stop();
  const openSession = (id: string, accessExpiresAt: number) =>
    open.set(id, {
      kind: 'portal',
      id,
      issuerSid: undefined,
      person: { subject: id, username: id, name: undefined, email: undefined, roles: [], groups: [] },
      tokens: { accessToken: '', refreshToken: undefined, idToken: undefined },
      accessExpiresAt,
      seenAt: 0,
      expiresAt: Number.MAX_SAFE_INTEGER,
    });
  return { watch, ended, exchanged, openSession };
}

test('of more people than one question takes, each has a turn', async () => {
  const people = Array.from({ length: mostAskedAbout + 5 }, (_, index) =>
    `${index % 500 === 3 ? 'ended' : 'person'} ${index}`.padEnd(12),
  ).toSorted();
  const { watch, ended } = router(people);
  for (let round = 0; round < 2; round += 1) await watch.round();
  assert.deepEqual(
    ended.toSorted(),
    people.filter((subject) => subject.startsWith('ended')),
  );
  await watch.round();
  assert.ok(ended.length > new Set(ended).size, 'and then it begins anew');
});

test('whoever has something open and asks for nothing is looked at when their token has ended', async () => {
  const { watch, exchanged, openSession } = router([]);
  openSession('stale', Date.now() - 1);
  openSession('fresh', Date.now() + 60_000);
  await watch.round();
  assert.deepEqual(exchanged, ['stale']);
});

test('who cannot be asked about stays signed in', async () => {
  const { watch, ended } = router(['ended ada'], {
    people: { activeAmong: () => Promise.reject(new Error('core restarts')) },
  });
  await watch.round();
  assert.deepEqual(ended, []);
});
