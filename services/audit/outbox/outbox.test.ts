import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { unavailable } from '@haic/kit/errors.ts';
import fc from 'fast-check';
import { type AuditedAction, createHttpTrailClient, type TrailClient } from '../client.ts';
import { silent, startTestAudit, type TestAudit } from '../testing.ts';
import { verifyTrail } from '../verify.ts';
import { type AuditOutbox, createAuditOutbox } from './outbox.ts';

const quick = { pollMs: 20, firstRetryMs: 20, lastRetryMs: 100 };
const action = (changes: Partial<AuditedAction> = {}): AuditedAction => ({
  action: 'actions/test/things/CREATE',
  readOnly: false,
  principal: 'users/u1',
  resource: '//test/things/1',
  sourceIpAddress: '203.0.113.7',
  ...changes,
});

/** What is in the trail, in its order. */
const told = async ({ database }: TestAudit) =>
  database.sql<
    { action: string; metadata: Record<string, string>; status_code: number | null; resource: string }[]
  >`
    select action, metadata, status_code, resource from audit.events order by seq`;

async function until(what: string, is: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await delay(20)) if (await is()) return;
  assert.fail(`${what} did not happen within 20 s`);
}

/** The trail as it is reached in memory and over HTTP: what holds for one holds for the other. */
for (const [how, clientOf] of [
  ['in memory', (trail: TestAudit) => trail.audit.client],
  [
    'over HTTP',
    (trail: TestAudit): TrailClient =>
      createHttpTrailClient({
        baseUrl: 'http://core/audit-trail',
        token: async () => `router@${wellKnownClients.router}`,
        fetch: async (url, init) => {
          const { pathname, search } = new URL(url);
          const answer = await trail.server.inject({
            method: 'POST',
            url: `${pathname}${search}`,
            headers: Object.fromEntries(new Headers(init?.headers)),
            payload: String(init?.body),
          });
          return new Response(answer.body, { status: answer.statusCode });
        },
      }),
  ],
] as const)
  describe(`an outbox, with the trail ${how}`, () => {
    let trail: TestAudit;
    before(async () => {
      trail = await startTestAudit();
      await trail.database.sql`create table public.things (name text)`;
    });
    const opened: AuditOutbox[] = [];
    // The next one would else find its events forwarded by this one's.
    afterEach(() => Promise.all(opened.splice(0).map((outbox) => outbox.stop())));
    after(() => trail.stop());
    /** The trail can be away, and can take events and not say so. */
    const open = (more: Partial<Parameters<typeof createAuditOutbox>[0]> = {}) => {
      const inner = clientOf(trail);
      const state = { away: false, silentAfter: false, calls: 0 };
      const client: TrailClient = {
        batchCreate: async (requests, signal) => {
          state.calls += 1;
          if (state.away) throw unavailable('service_unavailable', 'The trail is away.');
          const answer = await inner.batchCreate(requests, signal);
          if (state.silentAfter) throw unavailable('service_unavailable', 'The answer was lost.');
          return answer;
        },
      };
      const { database } = trail;
      const outbox = createAuditOutbox({ database, trail: client, logger: silent, times: quick, ...more });
      opened.push(outbox);
      return { outbox, state };
    };
    const has = async (name: string) =>
      (await told(trail)).filter(({ action: found }) => found === `actions/test/${name}/CREATE`).length;

    it('brings what is recorded to the trail, in its order', async () => {
      const { outbox } = open();
      for (const n of [1, 2, 3])
        await outbox.record(action({ action: 'actions/test/ordered/CREATE', metadata: { n: `${n}` } }));
      await until('arrival', async () => (await has('ordered')) === 3);
      const found = (await told(trail)).filter(({ action: a }) => a === 'actions/test/ordered/CREATE');
      assert.deepEqual(
        found.map(({ metadata }) => metadata.n),
        ['1', '2', '3'],
      );
      await until('emptiness', async () => (await outbox.status()).waiting === 0);
    });

    it('records with a transaction if and only if that commits', async () => {
      const { outbox } = open();
      await trail.database.transaction(async (sql) => {
        await sql`insert into public.things values ('kept')`;
        await outbox.record(action({ action: 'actions/test/kept/CREATE' }), sql);
      });
      await assert.rejects(
        trail.database.transaction(async (sql) => {
          await outbox.record(action({ action: 'actions/test/undone/CREATE' }), sql);
          throw new Error('undo');
        }),
        /undo/,
      );
      await until('arrival', async () => (await has('kept')) === 1);
      assert.equal(await has('undone'), 0);
    });

    it('loses nothing while the trail is away, shows how much waits and since when, and brings it once', async () => {
      const { outbox, state } = open();
      state.away = true;
      for (let n = 0; n < 700; n += 1) await outbox.record(action({ action: 'actions/test/away/CREATE' }));
      await until('a failure', async () => (await outbox.status()).problem !== undefined);
      const { waiting, oldestMs, problem } = await outbox.status();
      assert.equal(waiting, 700);
      assert.ok(oldestMs > 0);
      assert.match(problem ?? '', /away/);
      state.away = false;
      await until('arrival', async () => (await has('away')) === 700);
      await until('calm', async () => (await outbox.status()).problem === undefined);
    });

    it('sends again what the trail took without saying so, which is no second event', async () => {
      const { outbox, state } = open();
      state.silentAfter = true;
      await outbox.record(action({ action: 'actions/test/twice/CREATE' }));
      await until('two attempts', async () => state.calls >= 2);
      assert.equal(await has('twice'), 1);
      state.silentAfter = false;
      await until('emptiness', async () => (await outbox.status()).waiting === 0);
      assert.equal(await has('twice'), 1);
    });

    it('goes on with the others when the trail refuses one for good, which stays to be looked at', async () => {
      const { outbox } = open();
      await trail.database.sql`
        insert into audit_outbox.events (event_id, event, settled) values
        (${randomUUID()}, '{"action": "actions/test/poison/CREATE", "principal": 7}', true),
        (${randomUUID()}, '{"action": "actions/test/poison/CREATE", "eventTime": "2026-01-01T00:00:00Z"}', true)`;
      await outbox.record(action({ action: 'actions/test/healthy/CREATE' }));
      await until('arrival', async () => (await has('healthy')) === 1);
      await until('refusal', async () => (await outbox.status()).refused === 2);
      await trail.database.sql`delete from audit_outbox.events where refused is not null`;
    });

    it('tells of a call with its outcome, when it has ended', async () => {
      const { outbox } = open();
      const call = {
        ...action({ action: 'actions/test/called/CREATE' }),
        sourceIpAddress: '',
        userAgent: '',
      };
      const opened = await outbox.begin(call);
      await delay(100);
      assert.equal(await has('called'), 0);
      await opened.end({ status: { code: 7, message: 'no' }, resource: '//test/things/2' });
      await until('arrival', async () => (await has('called')) === 1);
      const found = (await told(trail)).find(({ action: a }) => a === 'actions/test/called/CREATE');
      assert.deepEqual([found?.status_code, found?.resource], [7, '//test/things/2']);
    });

    it('tells of a call whose process is gone, that nobody knows what became of it', async () => {
      const { outbox } = open({ times: { ...quick, abandonedMs: 50 } });
      const call = { ...action({ action: 'actions/test/gone/CREATE' }), sourceIpAddress: '', userAgent: '' };
      const opened = await outbox.begin(call);
      await until('arrival', async () => (await has('gone')) === 1);
      const first = (await told(trail)).find(({ action: a }) => a === 'actions/test/gone/CREATE');
      assert.equal(first?.status_code, 2);
      // It was slow, and not gone.
      await opened.end({});
      await until('the outcome', async () => (await has('gone')) === 2);
      const last = (await told(trail)).findLast(({ action: a }) => a === 'actions/test/gone/CREATE');
      assert.equal(last?.status_code, null);
      assert.match(last?.metadata.outcome_of ?? '', /^[0-9a-f-]{36}$/);
    });

    it('refuses when it is full, so that nothing happens unrecorded', async () => {
      const { outbox, state } = open({ limit: 5 });
      state.away = true;
      const record = () => outbox.record(action({ action: 'actions/test/full/CREATE' }));
      for (let n = 0; n < 5; n += 1) await record();
      await until('refusal', async () =>
        record().then(
          () => false,
          (error) => error.code === 'audit_unavailable',
        ),
      );
      await assert.rejects(outbox.begin({ ...action(), sourceIpAddress: '', userAgent: '' }), {
        code: 'audit_unavailable',
        status: 503,
      });
      state.away = false;
      await until('room', async () =>
        record().then(
          () => true,
          () => false,
        ),
      );
    });

    it('takes many at once in their order, and gives them half of its room at most', async () => {
      const { outbox, state } = open({ limit: 20 });
      const many = (verb: string, count: number) =>
        Array.from({ length: count }, (_, n) =>
          action({ action: `actions/test/${verb}/CREATE`, resource: `//test/things/${n}` }),
        );
      await outbox.recordMany(many('many', 8));
      await until('arrival', async () => (await has('many')) === 8);
      assert.deepEqual(
        (await told(trail)).flatMap(({ action: a, resource }) =>
          a === 'actions/test/many/CREATE' ? [resource] : [],
        ),
        Array.from({ length: 8 }, (_, n) => `//test/things/${n}`),
      );
      state.away = true;
      await outbox.recordMany(many('more', 12));
      // The room is looked at every two seconds.
      await delay(2_100);
      await assert.rejects(outbox.recordMany(many('more', 1)), { code: 'audit_unavailable' });
      await outbox.record(action({ action: 'actions/test/important/CREATE' }));
      state.away = false;
      await until('arrival', async () => (await has('important')) === 1);
      assert.equal(await has('more'), 12);
    });

    it('says that it is the database, when it is', async () => {
      const { outbox } = open();
      await trail.database.sql`alter table audit_outbox.events rename to away`;
      await assert.rejects(outbox.record(action()), { code: 'audit_unavailable', status: 503 });
      await trail.database.sql`alter table audit_outbox.away rename to events`;
      const held = Promise.withResolvers<void>();
      const locked = Promise.withResolvers<void>();
      const holding = trail.database.transaction(async (sql) => {
        await sql`lock table audit_outbox.events in access exclusive mode`;
        locked.resolve();
        await held.promise;
      });
      await locked.promise;
      const slow = trail.database.transaction(async (sql) => {
        await sql`set local statement_timeout = 50`;
        await outbox.record(action(), sql);
      });
      await assert.rejects(slow, { code: 'database_unavailable', status: 503 });
      held.resolve();
      await holding;
    });

    it('shares its table with the outbox of another process: nothing twice, nothing lost, one trail', async () => {
      const outboxes = [open().outbox, open().outbox, open().outbox];
      await Promise.all(
        Array.from({ length: 90 }, (_, n) =>
          outboxes[n % 3]?.record(action({ action: 'actions/test/shared/CREATE' })),
        ),
      );
      await until('arrival', async () => (await has('shared')) === 90);
      const { database, chain, witness } = trail;
      const signal = AbortSignal.timeout(20_000);
      assert.equal((await verifyTrail({ database, chain, witness, signal })).broken, undefined);
    });

    it('makes of anything that is told an event that the trail takes', async () => {
      const { outbox } = open();
      const texts = fc.string({ unit: 'binary', maxLength: 3000 });
      const pairs = fc.dictionary(fc.oneof(texts, fc.constant('__proto__'), fc.constant('good_key')), texts, {
        maxKeys: 80,
      });
      await fc.assert(
        fc.asyncProperty(
          fc.record(
            {
              action: texts,
              readOnly: fc.boolean(),
              principal: texts,
              resource: texts,
              workspace: texts,
              sourceIpAddress: texts,
              userAgent: texts,
              requestParameters: pairs,
              metadata: pairs,
              status: fc.record({ code: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), message: texts }),
            },
            { requiredKeys: ['action', 'readOnly', 'principal'] },
          ),
          (anything) => outbox.record(anything as AuditedAction),
        ),
        { numRuns: 150 },
      );
      await until('emptiness', async () => (await outbox.status()).waiting === 0);
      assert.equal((await outbox.status()).refused, 0);
    });
  });
