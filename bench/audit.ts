import { randomUUID } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { withDatabase } from '@haic/cli/installation/database.ts';
import { connectPostgres } from '@haic/platform/database/postgres.ts';
import { installationAt, readSecrets } from '@haic/server/installation.ts';
import { readSettings } from '@haic/server/settings.ts';
import { type Chain, createChain, type Link } from '@haic/services/audit/chain.ts';
import type { AuditEvent } from '@haic/services/audit/model.ts';
import { toRow } from '@haic/services/audit/rows.ts';
import { trailStore } from '@haic/services/audit/store.ts';
import { verifyTrail } from '@haic/services/audit/verify.ts';
import { noWitness } from '@haic/services/audit/witness.ts';
import { callApi } from '../test/support/api.ts';
import type { Haic } from '../test/support/haic.ts';
import { atMost, median, type Row } from './rows.ts';

const events = 1_000_000;
const requests = 20;
const days = 180;
const usual = 100;

/** The audit trail with a million events: how long the first page takes, by the filters that people use, and how fast all of it is verified. */
export async function auditRows(haic: Haic): Promise<readonly Row[]> {
  const at = installationAt(haic.home, process.env.HAIC_CACHE ?? '');
  const chain = createChain((await readSecrets(at)).masterKey);
  const settings = readSettings({ ...process.env, HAIC_HOME: haic.home });
  return withDatabase(at, settings, async (url) => {
    const database = connectPostgres({ url, applicationName: 'haic-bench' });
    try {
      process.stderr.write(`Recording ${events} events …\n`);
      await database.transaction(async (sql) => {
        await sql`set local statement_timeout = 0`;
        await recordMany(sql, chain);
      });
      await database.sql.unsafe('analyze audit.events');
      return [...(await searchRows(haic)), await verifyRow(database, chain)];
    } finally {
      await database.close();
    }
  });
}

type Transaction = Parameters<Parameters<ReturnType<typeof connectPostgres>['transaction']>[0]>[0];

/** By COPY, linked as the service links them. */
async function recordMany(sql: Transaction, chain: Chain): Promise<void> {
  const { genesis } = chain;
  const row =
    (await trailStore.lock(sql)) ??
    (await trailStore.begin(sql, genesis, chain.sign('base', genesis), chain.sign('head', genesis)));
  let link: Link = row.head;
  const columns = Object.keys(toRow(sql, eventOf(1, 0), link.hash));
  async function* lines() {
    for (let n = 0; n < events; n += 500) {
      let text = '';
      for (let each = n; each < n + 500; each += 1) {
        const event = eventOf(link.seq + 1, each);
        link = { seq: event.seq, hash: chain.hashOf(event, link.hash) };
        text += `${columns.map((name) => cell(event, link.hash, name)).join('\t')}\n`;
      }
      yield text;
    }
  }
  const target = await sql.unsafe(`copy audit.events (${columns.join(', ')}) from stdin`).writable();
  await pipeline(lines(), target);
  await trailStore.moveHead(sql, link, chain.sign('head', link));
}

const now = Date.now();
const pad = (n: number) => String(n).padStart(12, '0');

/** 500 people, 60 actions, 20 workspaces, 100,000 things; one in a hundred was refused; some did something five times only. */
function eventOf(seq: number, n: number): AuditEvent {
  const isRare = n % (events / 5) === 17;
  const time = BigInt(now - Math.floor((1 - n / events) * days * 86_400_000)) * 1000n;
  const workspace = `workspaces/w${n % 20}`;
  return {
    seq,
    id: randomUUID(),
    eventTime: time,
    receiveTime: time,
    source: `haic-service${n % 8}`,
    action: isRare ? 'actions/bench/things/RARE' : `actions/bench/things${n % 60}/CHANGE`,
    readOnly: n % 3 === 0,
    status: n % 100 === 0 ? { code: 7, message: 'You may not.' } : undefined,
    principal: `users/${isRare ? 'rare' : `00000000-0000-4000-8000-${pad(n % 500)}`}`,
    sourceAddress: n % 2 === 0 ? 'private' : `203.0.113.${n % 250}`,
    resource: `//bench/${workspace}/things/${n % 100_000}`,
    requestParameters: { size: String(n % 7) },
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
    metadata: { client: 'haic-portal', shard: String(n % 1000) },
    workspace,
    type: 'api',
  };
}

function cell(event: AuditEvent, hash: Buffer, column: string): string {
  const values: Readonly<Record<string, string | undefined>> = {
    seq: String(event.seq),
    id: event.id,
    event_time: event.eventTime.toString(),
    receive_time: event.receiveTime.toString(),
    source: event.source,
    action: event.action,
    read_only: String(event.readOnly),
    status_code: event.status === undefined ? '\\N' : String(event.status.code),
    status_message: event.status?.message ?? '\\N',
    principal: event.principal,
    source_address: event.sourceAddress,
    resource: event.resource,
    request_parameters: JSON.stringify(event.requestParameters),
    user_agent: event.userAgent,
    metadata: JSON.stringify(event.metadata),
    workspace: event.workspace,
    type: '1',
    hash: `\\\\x${hash.toString('hex')}`,
  };
  return values[column] ?? '';
}

const filters: Readonly<Record<string, object>> = {
  'no filter': {},
  'one person': { principalExact: `users/00000000-0000-4000-8000-${pad(7)}` },
  'a person with 5 events': { principalExact: 'users/rare' },
  'an action': { actionExact: 'actions/bench/things7/CHANGE' },
  'actions by expression': { actionRegex: '^actions/bench/things[0-9]/' },
  'one thing': { resourceExact: '//bench/workspaces/w7/things/7' },
  'a workspace': { workspaceExact: 'workspaces/w7' },
  'what was refused': { statusCodeRegex: '[1-9]' },
  'a week, a person': {
    principalExact: `users/00000000-0000-4000-8000-${pad(7)}`,
    startEventTime: new Date(now - 60 * 86_400_000).toISOString(),
    endEventTime: new Date(now - 53 * 86_400_000).toISOString(),
  },
  'part of a resource': { resourceRegex: '(?i)things/12345' },
};

async function searchRows(haic: Haic): Promise<readonly Row[]> {
  const token = await haic.accessToken(haic.admin.username);
  const rows: Row[] = [];
  for (const [name, filter] of Object.entries(filters)) {
    const times: number[] = [];
    for (let n = 0; n <= requests; n += 1) {
      const started = performance.now();
      const { status } = await callApi(haic, token, 'POST', '/audit-trail/v1/events:search', { filter });
      if (status !== 200) throw new Error(`The search by ${name} answered ${status}.`);
      // The first one warms up.
      if (n > 0) times.push(performance.now() - started);
    }
    const measured = { id: `audit.${rows.length + 1}`, name: `1,000,000 audit events: first page, ${name}` };
    rows.push({
      ...atMost({ ...measured, peer: '-', unit: 'ms', ours: median(times), theirs: null }, usual),
      note: `the slowest of ${requests}: ${Math.max(...times).toFixed(0)} ms`,
    });
  }
  return rows;
}

async function verifyRow(database: ReturnType<typeof connectPostgres>, chain: Chain): Promise<Row> {
  const started = performance.now();
  const signal = AbortSignal.timeout(600_000);
  const found = await verifyTrail({ database, chain, witness: noWitness, signal });
  if (found.broken !== undefined) throw new Error(`The trail is broken: ${found.broken.what}`);
  const microseconds = ((performance.now() - started) * 1000) / found.events;
  return atMost(
    {
      id: 'audit.verify',
      name: 'an audit event verified',
      peer: '-',
      unit: 'µs',
      ours: microseconds,
      theirs: null,
    },
    250,
  );
}
