import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLogger } from '@haic/kit/logging.ts';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import { driveMigrations } from '../migrations.ts';
import { createUsageStore } from './store.ts';
import { keepAccounts } from './usage.ts';

const runs = Number(process.env.HAIC_KILL_RUNS ?? 6);
const bucket = 'drive/people/ada/';
const adapter = import.meta.resolve('@haic/platform/blob/filesystem/store.ts');

/** What a writer said of a key last. */
interface Acknowledged {
  readonly key: string;
  /** Which of its writes it was. */
  readonly i: number;
  /** Otherwise it was removed. */
  readonly isThere?: boolean;
}

describe('a Drive that is killed at random points', () => {
  let world: Awaited<ReturnType<typeof startTestDatabase>>;
  let directory: string;
  before(async () => {
    world = await startTestDatabase();
    await migrate(world.database, driveMigrations);
    directory = await mkdtemp(path.join(tmpdir(), 'haic-test-drive-killed-'));
  });
  after(async () => {
    await world.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function writeUntilKilled(run: number): Promise<Map<string, Acknowledged>> {
    const fixture = fileURLToPath(new URL('./writer.fixture.ts', import.meta.url));
    const child = spawn(process.execPath, [fixture, world.url, directory, adapter, `run${run}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    let said = '';
    child.stdout.on('data', (piece: Buffer) => {
      // The more it has done, the likelier it is in the middle of something.
      said += piece.toString();
      if (said.split('\n').length > 20 + ((run * 37) % 60)) child.kill('SIGKILL');
    });
    await closed;
    const last = new Map<string, Acknowledged>();
    for (const line of said.split('\n').slice(0, -1)) {
      const entry = JSON.parse(line) as Acknowledged;
      last.set(entry.key, entry);
    }
    return last;
  }

  it('has lost nothing that it acknowledged, shows nothing half, and its account is true again', async () => {
    const { database } = world;
    for (let run = 0; run < runs; run += 1) {
      const acknowledged = await writeUntilKilled(run);
      assert.ok(acknowledged.size > 0);
      const signal = AbortSignal.timeout(60_000);
      const blobs = await createFilesystemBlobStore({ directory, etags: 'md5' });
      let bytes = 0;
      const { blobs: entries } = await blobs.list({ prefix: bucket, signal });
      for (const { key, size } of entries) {
        const blob = await blobs.get(key, { signal });
        const content = await text(blob?.content ?? assert.fail(key));
        const unit = /^run\d+ \d+ /.exec(content)?.[0] ?? assert.fail(`${key}: ${content.slice(0, 30)}`);
        assert.equal(content, unit.repeat(content.length / unit.length), 'one write, whole');
        assert.equal(content.length, size);
        bytes += size;
      }
      for (const [key, { i, isThere = false }] of acknowledged) {
        const found = await blobs.get(bucket + key, { signal });
        const content = found === undefined ? undefined : await text(found.content);
        const [, ofRun, which] = /^run(\d+) (\d+) /.exec(content ?? '') ?? [];
        // The next of the lane may have come to pass without having been acknowledged: seven further, in this lane.
        const isNext = Number(ofRun) === run && Number(which) === i + 7;
        const isThat = isThere ? Number(ofRun) === run && Number(which) === i : content === undefined;
        const wasRemovedNext = content === undefined && (i + 7) % 5 === 4;
        assert.ok(
          isThat || isNext || wasRemovedNext,
          `${key}: write ${i}, and there is ${content?.slice(0, 12)}`,
        );
      }
      // As if a minute had passed: the dead are known by their silence.
      await database.sql`update drive.writers set seen_at = now() - interval '5 minutes'`;
      const usage = createUsageStore(database, 0);
      const accounts = await keepAccounts({ store: usage, blobs, logger: createLogger('test', 'silent') });
      await accounts.sweep();
      const { bytes: accounted, objects } = await usage.usageOf(bucket);
      assert.deepEqual({ accounted, objects }, { accounted: bytes, objects: entries.length }, `run ${run}`);
      await accounts.stop();
      const [left] = await database.sql`select count(*)::int as n from drive.reservations`;
      assert.equal(left?.n, 0);
    }
  });
});
