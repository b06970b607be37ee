import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Fetch } from '@haic/kit/http/client.ts';
import { createLogger } from '@haic/kit/logging.ts';
import type { PersonStanding } from '../client.ts';
import { createKeycloakStanding } from './keycloak-standing.ts';
import { createPeopleStanding } from './people-standing.ts';
import type { StandingSource } from './standing-source.ts';

const logger = createLogger('test', 'silent');
const issuer = 'https://keycloak.example.org/auth/realms/haic';

/** What a real Keycloak does not do at will: hide people, fail, stand behind a proxy that answers for it (test/issuers has the real one). */
function keycloakBehind(answer: (url: URL) => Response, lastSeen: readonly string[] = []) {
  const asked: URL[] = [];
  const fetch: Fetch = async (url) => {
    asked.push(new URL(url));
    return answer(new URL(url));
  };
  const source = createKeycloakStanding({
    issuer,
    fetch,
    serviceToken: async () => 'a token',
    lastSeen: async () => lastSeen,
    logger,
  });
  return { asked, source };
}

const isSingle = (url: URL) => !url.pathname.endsWith('/users');
const gone = () => Response.json({ error: 'User not found' }, { status: 404 });

describe('what Keycloak says of people', () => {
  test('is asked of the realm’s own directory, fifty people at a time', async () => {
    const { asked, source } = keycloakBehind((url) => {
      const ids = (url.searchParams.get('search') ?? '').slice('id:'.length).split(' ');
      return Response.json(ids.map((id) => ({ id, enabled: id !== 'p7' })));
    });
    const people = Array.from({ length: 120 }, (_, index) => `p${index}`);
    const standing = await source.standingOf(people);
    assert.equal(asked.length, 3);
    assert.equal(asked[0]?.pathname, '/auth/admin/realms/haic/users');
    assert.deepEqual(
      people.filter((id) => standing.get(id) !== 'active').map((id) => [id, standing.get(id)]),
      [['p7', 'ended']],
    );
  });

  test('counts as gone only whom Keycloak itself does not find', async () => {
    const answers: Record<string, () => Response> = {
      removed: gone,
      hidden: () => Response.json({ error: 'HTTP 403 Forbidden' }, { status: 403 }),
      proxied: () => new Response('<h1>Not found</h1>', { status: 404 }),
    };
    const { source } = keycloakBehind((url) =>
      isSingle(url) ? (answers[url.pathname.split('/').at(-1) ?? '']?.() ?? gone()) : Response.json([]),
    );
    assert.deepEqual(
      [...(await source.standingOf(Object.keys(answers)))],
      [
        ['removed', 'ended'],
        ['hidden', 'unknown'],
        ['proxied', 'unknown'],
      ],
    );
  });

  describe('in a realm that knows', () => {
    const team = ['ada', 'grace', 'linus', 'removed'];
    const standingIn = async (realm: readonly string[]) => {
      const { source } = keycloakBehind((url) => {
        const ids = (url.searchParams.get('search') ?? '').slice('id:'.length).split(' ');
        if (isSingle(url)) return gone();
        return Response.json(ids.filter((id) => realm.includes(id)).map((id) => ({ id, enabled: true })));
      }, team);
      return (await source.standingOf(['removed'])).get('removed');
    };

    test('half of those who were seen last, who is not found is gone', async () => {
      assert.equal(await standingIn(['ada', 'grace']), 'ended');
    });

    test('nearly none of them, nobody is: it is another realm', async () => {
      assert.equal(await standingIn([]), 'unknown');
      assert.equal(await standingIn(['ada', 'somebody-of-the-other-realm']), 'unknown');
    });
  });

  for (const [what, answer] of Object.entries({
    'without the role': () => Response.json({ error: 'HTTP 403 Forbidden' }, { status: 403 }),
    'behind a proxy that hides it': () => new Response('no', { status: 404 }),
    'with an answer that is none': () => Response.json({ users: [] }),
    'when it fails': () => {
      throw new Error('connection refused');
    },
  }))
    test(`is unknown ${what}, and is not asked for again at once`, async () => {
      const { asked, source } = keycloakBehind(answer);
      assert.deepEqual([...(await source.standingOf(['ada']))], [['ada', 'unknown']]);
      await source.standingOf(['ada']);
      assert.equal(asked.length, 1);
    });

  test('is never asked with what would be a search for something else', async () => {
    const { asked, source } = keycloakBehind(() => Response.json([]));
    assert.deepEqual(
      [...(await source.standingOf(['* id:x', 'a/../b']))],
      [
        ['* id:x', 'unknown'],
        ['a/../b', 'unknown'],
      ],
    );
    assert.equal(asked.length, 0);
  });
});

describe('the standing of people', () => {
  const saying = (what: Record<string, PersonStanding>): StandingSource & { asked: string[] } => {
    const asked: string[] = [];
    return {
      asked,
      standingOf: async (subjects) => {
        asked.push(...subjects);
        return new Map(subjects.map((subject) => [subject, what[subject] ?? 'unknown']));
      },
    };
  };

  test('comes from the first source that knows, is kept for seconds, and an end is told once', async () => {
    let now = 0;
    const ended: string[] = [];
    const says: Record<string, PersonStanding> = { ada: 'active' };
    const [first, second] = [saying(says), saying({ grace: 'ended' })];
    const standing = createPeopleStanding({
      sources: [first, second],
      whenPersonEnds: async (subject) => void ended.push(subject),
      logger,
      now: () => now,
    });
    const ask = async () => Object.fromEntries(await standing.of(['ada', 'grace', 'linus']));
    assert.deepEqual(await ask(), { ada: 'active', grace: 'ended', linus: 'unknown' });
    assert.deepEqual(second.asked, ['grace', 'linus']);
    await ask();
    assert.equal(first.asked.length, 3);
    now += 60_000;
    says.ada = 'ended';
    assert.deepEqual(await ask(), { ada: 'ended', grace: 'ended', linus: 'unknown' });
    assert.deepEqual(ended, ['grace', 'ada']);
    // Enabled, and disabled again: that is another end.
    for (const is of ['active', 'ended'] as const) {
      now += 60_000;
      says.ada = is;
      await ask();
    }
    assert.deepEqual(ended, ['grace', 'ada', 'ada']);
  });
});
