import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { createLogger } from '@haic/kit/logging.ts';
import type { Database } from '@haic/platform/database/port.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import { createLiveConnections } from '../live-connections.ts';
import { routerMigrations } from '../migrations.ts';
import { defaultLimits } from '../options.ts';
import { createCookieValues } from './cookie-value.ts';
import { createEndings } from './endings.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createSessionStore } from './store.ts';

let database: Database;
let stopDatabase: () => Promise<void>;
const opened: Sessions[] = [];
const key = randomBytes(32);
const person = {
  subject: 'ada',
  username: 'ada',
  name: undefined,
  email: undefined,
  roles: ['user'],
  groups: [],
};
const secret = 'a-refresh-token-nobody-may-read';
const signIn = () => ({
  person,
  tokens: { accessToken: 'access', refreshToken: secret, idToken: undefined },
  issuerSid: 'sid',
  accessExpiresAt: Date.now() + 300_000,
});

before(async () => {
  const started = await startTestDatabase();
  database = started.database;
  stopDatabase = started.stop;
  await migrate(database, routerMigrations);
});

after(async () => {
  for (const sessions of opened) await sessions.close();
  await stopDatabase();
});

async function router(limits = defaultLimits): Promise<Sessions> {
  const sessions = await createSessions({
    database,
    store: createSessionStore(database, key, limits.idleMs),
    cookieValues: createCookieValues(key),
    csrfKey: key,
    limits,
    live: createLiveConnections(),
    endings: createEndings(),
    logger: createLogger('test', 'silent'),
  });
  opened.push(sessions);
  return sessions;
}

/** Asks until the notification has arrived. */
const gone = (sessions: Sessions, cookie: string) =>
  until(async () => ((await sessions.find([cookie], 'portal')) === undefined ? true : undefined), {
    everyMs: 5,
    signal: deadline(5_000),
  });

test('a session is found by its cookie, and neither cookie nor tokens can be read from the database', async () => {
  const sessions = await router();
  const { cookie, session } = await sessions.create(signIn());
  const found = await sessions.find([cookie], 'portal');
  assert.equal(found?.id, session.id);
  assert.equal(found?.kind === 'portal' && found.tokens.refreshToken, secret);
  const rows =
    await database.sql`select s::text as row, encode(sealed_tokens, 'escape') as sealed from router.sessions s`;
  const everything = JSON.stringify(rows);
  assert.ok(!everything.includes(cookie.slice(0, 20)) && !everything.includes(secret));
});

test('made-up cookies are thrown away without a question to the database', async () => {
  const sessions = await router();
  const { cookie } = await sessions.create(signIn());
  const forged = [
    `${'A'.repeat(43)}.${'A'.repeat(22)}`,
    `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`,
    '',
    'x',
    cookie.slice(0, 43),
  ];
  for (const value of forged) assert.equal(await sessions.find([value], 'portal'), undefined);
  assert.equal(await sessions.find([cookie], { instanceId: randomUUID() }), undefined);
  assert.ok(await sessions.find([...Array<string>(50).fill('planted'), ...forged, cookie], 'portal'));
});

test("an app's session shares the portal's and ends with it, in every router", async () => {
  const [first, second] = [await router(), await router()];
  const instanceId = randomUUID();
  const { cookie, session } = await first.create(signIn());
  const app = await first.createApp(session.id, instanceId);
  assert.ok(app);
  const here = await first.find([app.cookie], { instanceId });
  const there = await second.find([app.cookie], { instanceId });
  assert.equal(here?.kind === 'app' && here.portal.person.username, 'ada');
  assert.equal(there?.kind === 'app' && there.portal.id, session.id);
  await second.find([cookie], 'portal');
  await first.end(session.id);
  await gone(second, cookie);
  assert.equal(await second.find([app.cookie], { instanceId }), undefined);
  assert.equal(await first.find([app.cookie], { instanceId }), undefined);
  assert.equal(await first.createApp(session.id, instanceId), undefined);
});

test('a row that is deleted by hand ends the session as well', async () => {
  const sessions = await router();
  const { cookie, session } = await sessions.create(signIn());
  await sessions.find([cookie], 'portal');
  await database.sql`delete from router.sessions where id = ${session.id}`;
  await gone(sessions, cookie);
});

test('a session ends when it is not used for too long, and at its absolute end', async () => {
  const sessions = await router({ idleMs: 60_000, absoluteMs: 3_600_000 });
  const idle = await sessions.create(signIn());
  await database.sql`update router.sessions set seen_at = now() - interval '61 seconds' where id = ${idle.session.id}`;
  assert.equal(await sessions.find([idle.cookie], 'portal'), undefined);
  const old = await sessions.create(signIn());
  await database.sql`update router.sessions set expires_at = now() - interval '1 second' where id = ${old.session.id}`;
  assert.equal(await sessions.find([old.cookie], 'portal'), undefined);
  const short = await router({ idleMs: 60_000, absoluteMs: 1 });
  const kept = await short.create(signIn());
  // Also while it is remembered.
  await gone(short, kept.cookie);
});

test('the end of a sign-in session at the issuer, or of a person, ends what hangs on it', async () => {
  const sessions = await router();
  const bySid = await sessions.create({ ...signIn(), issuerSid: 'one' });
  const other = await sessions.create({ ...signIn(), issuerSid: 'two' });
  await sessions.endByIssuerSid('one');
  await gone(sessions, bySid.cookie);
  assert.ok(await sessions.find([other.cookie], 'portal'));
  await sessions.endBySubject('ada');
  await gone(sessions, other.cookie);
});

test('while the database is heard but cannot answer, whoever is in stays in; what ended meanwhile ends when it can', async () => {
  const { sql } = database;
  const listen = Promise.withResolvers<() => void>();
  const store = createSessionStore(database, key, defaultLimits.idleMs);
  let broken = false;
  const sessions = await createSessions({
    // Hears when the test says so, as after a connection that was lost.
    database: {
      ...database,
      listen: (...[channel, onPayload, onReady]) => {
        listen.resolve(onReady);
        return database.listen(channel, onPayload, onReady);
      },
    },
    store: {
      ...store,
      find: async (id) => {
        if (broken) throw new Error('sorry, too many clients already');
        return store.find(id);
      },
    },
    cookieValues: createCookieValues(key),
    csrfKey: key,
    limits: defaultLimits,
    live: createLiveConnections(),
    endings: createEndings(),
    logger: createLogger('test', 'silent'),
  });
  opened.push(sessions);
  const heardAgain = await listen.promise;
  const stays = await sessions.create(signIn());
  const ends = await sessions.create(signIn());
  for (const { cookie } of [stays, ends]) assert.ok(await sessions.find([cookie], 'portal'));
  broken = true;
  heardAgain();
  assert.equal((await sessions.find([stays.cookie], 'portal'))?.id, stays.session.id);
  await assert.rejects(async () => sessions.find([(await sessions.create(signIn())).cookie], 'portal'));
  await sql`alter table router.sessions disable trigger ended`;
  await sql`delete from router.sessions where id = ${ends.session.id}`;
  await sql`alter table router.sessions enable trigger ended`;
  broken = false;
  assert.equal(await sessions.find([ends.cookie], 'portal'), undefined);
  assert.equal((await sessions.find([stays.cookie], 'portal'))?.id, stays.session.id);
});
