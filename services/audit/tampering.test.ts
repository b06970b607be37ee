import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import { trailStore } from './store.ts';
import { event, service, startTestAudit, type TestAudit } from './testing.ts';
import { checkpointEvery } from './trail.ts';
import { verifyTrail } from './verify.ts';
import { createFileWitness } from './witness.ts';

// Keeps the server for all tests of this file; each has a database of its own.
let server: Awaited<ReturnType<typeof startTestDatabase>>;
before(async () => {
  server = await startTestDatabase();
});
after(() => server.stop());

const verify = ({ database, chain, witness }: TestAudit) =>
  verifyTrail({ database, chain, witness, signal: AbortSignal.timeout(30_000) });

async function fill(trail: TestAudit, count = 10): Promise<void> {
  for (let done = 0; done < count; done += 1000) {
    const requests = Array.from({ length: Math.min(1000, count - done) }, (_, n) => ({
      eventId: randomUUID(),
      event: event({ userAgent: `${done + n}`, metadata: { b: '2', a: '1' } }),
    }));
    await trail.call(service, '/v1/events:batchCreate', { requests });
  }
}

/** As somebody does who owns the database and knows its triggers. */
async function tamper({ database }: TestAudit, statement: string): Promise<void> {
  await database.transaction(async (sql) => {
    await sql.unsafe(
      'alter table audit.events disable trigger user; alter table audit.trail disable trigger user; alter table audit.checkpoints disable trigger user',
    );
    await sql.unsafe(statement);
    await sql.unsafe(
      'alter table audit.events enable trigger user; alter table audit.trail enable trigger user; alter table audit.checkpoints enable trigger user',
    );
  });
}

describe('the database', () => {
  let trail: TestAudit;
  before(async () => {
    trail = await startTestAudit();
    await fill(trail);
  });
  after(() => trail.stop());

  for (const statement of [
    "update audit.events set user_agent = 'x' where seq = 3",
    'delete from audit.events where seq = 3',
    'truncate audit.events',
    'delete from audit.trail',
    'truncate audit.trail',
    'delete from audit.checkpoints',
    'update audit.checkpoints set made_time = 0',
    'truncate audit.checkpoints',
  ])
    it(`refuses: ${statement}`, async () => {
      await assert.rejects(trail.database.sql.unsafe(statement), /append-only/);
      assert.equal((await verify(trail)).broken, undefined);
    });
});

describe('what was changed behind the back of the trail is found', () => {
  for (const [what, statement, seq, words] of [
    ['a text altered', "update audit.events set user_agent = 'x' where seq = 4", 4, /not as it was recorded/],
    [
      'a parameter altered',
      `update audit.events set metadata = '{"a":"1"}' where seq = 4`,
      4,
      /not as it was recorded/,
    ],
    [
      'an outcome removed',
      "update audit.events set status_code = 7, status_message = '' where seq = 2",
      2,
      /not as it was recorded/,
    ],
    [
      'when it was received',
      'update audit.events set receive_time = receive_time - 1 where seq = 4',
      4,
      /not as it was recorded/,
    ],
    ['a row removed', 'delete from audit.events where seq = 5', 5, /event 5 is missing/],
    ['the first rows removed', 'delete from audit.events where seq <= 2', 1, /events 1 to 2 are missing/],
    ['the tail removed', 'delete from audit.events where seq > 7', 8, /events 8 to 10 are missing/],
    [
      'the tail removed, and the head put back',
      'delete from audit.events where seq > 7; update audit.trail set head_seq = 7, head_hash = (select hash from audit.events where seq = 7)',
      8,
      /events 8 to 10 are missing/,
    ],
    [
      'all removed',
      'delete from audit.events; delete from audit.trail; delete from audit.checkpoints',
      10,
      /gone/,
    ],
    [
      'two rows swapped',
      'update audit.events set seq = -1 where seq = 3; update audit.events set seq = 3 where seq = 4; update audit.events set seq = 4 where seq = -1',
      3,
      /its place/,
    ],
    [
      'a row added',
      `insert into audit.events select 11, gen_random_uuid(), event_time, receive_time, source, action, read_only, status_code, status_message,
      principal, source_address, resource, request_parameters, user_agent, metadata, workspace, type, hash from audit.events where seq = 10`,
      11,
      /not as it was recorded/,
    ],
    [
      'the beginning moved',
      'update audit.trail set base_seq = 3, base_hash = (select hash from audit.events where seq = 3)',
      3,
      /begins was changed/,
    ],
    [
      'the beginning moved with the signature of the head',
      'update audit.trail set base_seq = head_seq, base_hash = head_hash, base_mac = head_mac',
      10,
      /begins was changed/,
    ],
    ['a checkpoint altered', "update audit.checkpoints set hash = '\\x00'", 10, /checkpoint/],
  ] as const)
    it(`${what}: at ${seq}`, async () => {
      const trail = await startTestAudit();
      try {
        await fill(trail);
        await trail.audit.stop();
        assert.equal((await verify(trail)).broken, undefined);
        await tamper(trail, statement);
        const { broken } = await verify(trail);
        assert.equal(broken?.seq, seq, broken?.what);
        assert.match(broken?.what ?? '', words);
      } finally {
        await trail.stop();
      }
    });

  it('the whole database put back to an older state, which only the witness knows', async () => {
    const trail = await startTestAudit();
    try {
      await fill(trail);
      const [row] = await trail.database.sql`select * from audit.trail`;
      await fill(trail);
      await trail.audit.stop();
      await tamper(
        trail,
        'delete from audit.events where seq > 10; delete from audit.checkpoints where seq > 10',
      );
      await trail.database.sql`update audit.trail set ${trail.database.sql(row ?? {})}`;
      assert.match(
        (await verify(trail)).broken?.what ?? '',
        /older state: the trail had come to 20, and ends at 10/,
      );
      await rm(trail.witnessFile);
      assert.equal((await verify(trail)).broken, undefined);
    } finally {
      await trail.stop();
    }
  });

  it('a witness that somebody wrote themselves is none', async () => {
    const trail = await startTestAudit();
    try {
      await fill(trail);
      await trail.audit.stop();
      const text = await readFile(trail.witnessFile, 'utf8');
      await writeFile(trail.witnessFile, text.replace('"seq":10', '"seq":999'));
      assert.equal(await trail.witness.recall(), undefined);
    } finally {
      await trail.stop();
    }
  });
});

describe('a trail that was tampered with', () => {
  for (const [reason, statement] of [
    [
      'head_changed',
      'delete from audit.events where seq > 7; update audit.trail set head_seq = 7, head_hash = (select hash from audit.events where seq = 7)',
    ],
    ['trail_removed', 'delete from audit.trail'],
    ['rolled_back', 'delete from audit.events; delete from audit.trail; delete from audit.checkpoints'],
  ] as const)
    it(`goes on and says so: ${reason}`, async () => {
      const trail = await startTestAudit();
      try {
        await fill(trail);
        await trail.audit.stop();
        await tamper(trail, statement);
        // Another process, which has seen nothing of it.
        const again = trail.begin();
        const refused = await again.client.batchCreate(
          [{ eventId: randomUUID(), event: event({ userAgent: 'after' }) }],
          AbortSignal.timeout(5000),
        );
        await again.stop();
        assert.equal(refused.size, 0);
        const { body } = await trail.search({ actionExact: 'actions/audittrail/trails/BREAK' });
        assert.equal(body.events[0]?.metadata.reason, reason);
        assert.notEqual((await verify(trail)).broken, undefined);
      } finally {
        await trail.stop();
      }
    });

  it('was restored: it goes on, says so, and is whole', async () => {
    const trail = await startTestAudit();
    try {
      await fill(trail);
      const [row] = await trail.database.sql`select * from audit.trail`;
      await fill(trail, 5);
      await trail.audit.stop();
      await tamper(
        trail,
        'delete from audit.events where seq > 10; delete from audit.checkpoints where seq > 10',
      );
      await trail.database.sql`update audit.trail set ${trail.database.sql({ ...row, restored: true })}`;
      assert.equal((await verify(trail)).broken, undefined);
      const again = trail.begin();
      await again.client.batchCreate([{ eventId: randomUUID(), event: event() }], AbortSignal.timeout(5000));
      await again.stop();
      const { body } = await trail.search({ actionExact: 'actions/audittrail/trails/RESTORE' });
      assert.deepEqual(body.events[0]?.metadata, { goes_on_after: '10', known_to: '15' });
      const result = await verify(trail);
      assert.deepEqual([result.broken, result.restoredAt, result.last], [undefined, [11], 12]);
    } finally {
      await trail.stop();
    }
  });
});

describe('events that are older than they have to be kept', () => {
  const day = 86_400_000;

  it('go in whole stretches, and the rest stays verifiable', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const trail = await startTestAudit({ now: () => now, retentionDays: 30 });
    try {
      await fill(trail, checkpointEvery.events + 5);
      now += 40 * day;
      await fill(trail, 7);
      const removed = await trail.audit.expire(AbortSignal.timeout(10_000));
      assert.equal(removed, checkpointEvery.events);
      now += 1;
      const result = await verify(trail);
      assert.equal(result.broken, undefined);
      // The five after the checkpoint wait for the next one; and the trail tells that it gave events up.
      assert.equal(result.events, 5 + 7 + 1);
      const { body } = await trail.search({ actionExact: 'actions/audittrail/events/EXPIRE' });
      assert.equal(body.events[0]?.metadata.up_to, String(checkpointEvery.events));
      assert.equal(await trail.audit.expire(AbortSignal.timeout(10_000)), 0);
      await tamper(trail, `delete from audit.events where seq = ${checkpointEvery.events + 1}`);
      assert.equal((await verify(trail)).broken?.seq, checkpointEvery.events + 1);
    } finally {
      await trail.stop();
    }
  });

  it('stay when the checkpoint that they would end at is not good', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const trail = await startTestAudit({ now: () => now, retentionDays: 30 });
    try {
      await fill(trail, 10);
      now += 40 * day;
      await tamper(trail, "update audit.checkpoints set mac = '\\x00'");
      assert.equal(await trail.audit.expire(AbortSignal.timeout(10_000)), 0);
    } finally {
      await trail.stop();
    }
  });
});

describe('many who record at once', () => {
  it('make one trail, in one order', async () => {
    const trail = await startTestAudit();
    try {
      const others = [trail.audit, trail.begin(), trail.begin()];
      const shared = randomUUID();
      await Promise.all(
        Array.from({ length: 60 }, (_, n) =>
          others[n % 3]?.client.batchCreate(
            [
              { eventId: randomUUID(), event: event({ userAgent: `${n}` }) },
              { eventId: shared, event: event({ userAgent: 'shared' }) },
            ],
            AbortSignal.timeout(20_000),
          ),
        ),
      );
      const result = await verify(trail);
      assert.deepEqual([result.broken, result.last], [undefined, 61]);
      for (const other of others) await other.stop();
    } finally {
      await trail.stop();
    }
  });

  it('write down how far it has come into one file, which is whole and goes forward only', async () => {
    const trail = await startTestAudit();
    try {
      await mkdir(path.dirname(trail.witnessFile));
      const ended = new AbortController();
      const writers = [1, 2, 3].map(async (first) => {
        const witness = createFileWitness(trail.witnessFile, trail.chain);
        for (let seq = first; seq <= 300; seq += 3)
          await trail.database.transaction(async (sql) => {
            await trailStore.lockWitness(sql);
            await witness.keep({ seq, hash: Buffer.alloc(32, seq) }, 'forward');
          });
      });
      const reader = (async () => {
        let reached = 0;
        let read = 0;
        while (!ended.signal.aborted) {
          const link = await trail.witness.recall();
          // Once it is there it is never gone, and never behind.
          assert.ok(reached === 0 || (link?.seq ?? 0) >= reached, `${link?.seq} after ${reached}`);
          reached = link?.seq ?? 0;
          read += 1;
        }
        return read;
      })();
      await Promise.all(writers);
      ended.abort();
      assert.ok((await reader) > 10);
      assert.equal((await trail.witness.recall())?.seq, 300);
      assert.deepEqual(await readdir(path.dirname(trail.witnessFile)), ['witness.json']);
    } finally {
      await trail.stop();
    }
  });

  it('do not write down an earlier place because they write it down later', async () => {
    const trail = await startTestAudit();
    try {
      const other = trail.begin();
      await fill(trail, 3);
      await other.client.batchCreate([{ eventId: randomUUID(), event: event() }], AbortSignal.timeout(5000));
      await other.stop();
      await trail.audit.stop();
      assert.equal((await trail.witness.recall())?.seq, 4);
    } finally {
      await trail.stop();
    }
  });

  it('begin at once after a restore and take it for no tampering', async () => {
    const trail = await startTestAudit();
    try {
      await fill(trail);
      const [row] = await trail.database.sql`select * from audit.trail`;
      await fill(trail, 20);
      await trail.audit.stop();
      await tamper(
        trail,
        'delete from audit.events where seq > 10; delete from audit.checkpoints where seq > 10',
      );
      await trail.database.sql`update audit.trail set ${trail.database.sql({ ...row, restored: true })}`;
      const both = [trail.begin(), trail.begin()];
      for (const audit of both)
        await audit.client.batchCreate(
          [{ eventId: randomUUID(), event: event() }],
          AbortSignal.timeout(5000),
        );
      // Before either of them had time to write down where it is.
      const result = await verify(trail);
      assert.deepEqual([result.broken, result.restoredAt, result.last], [undefined, [11], 13]);
      for (const audit of both) await audit.stop();
      assert.equal((await trail.witness.recall())?.seq, 13);
    } finally {
      await trail.stop();
    }
  });
});
