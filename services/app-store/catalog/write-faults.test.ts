import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fromWriteError } from '@haic/kit/errors.ts';
import { createFilesystemBlobStore } from '@haic/platform/blob/filesystem/store.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { helloToml, png, zipOf } from './testing.ts';
import { startTestCatalog, type TestCatalog } from './testing-server.ts';

const token = 'anna/user/portal';
const bundle = (version: string) =>
  zipOf({
    'app.toml': helloToml.replace('1.0.0', version),
    'app.py': 'x',
    'static/icon.png': png,
    'static/screenshot-1.png': png,
  });

type Verb = 'put' | 'delete';
interface Plan {
  verb: Verb;
  /** Which call of the verb fails, counted from 1; 0 for none. */
  nth: number;
  /** Whether the bytes were read before. */
  late: boolean;
}

/** A disk that answers the planned call with EIO, as a dying one does. */
function failing(plan: Plan, seen: Verb[]) {
  return async (options: { directory: string }): Promise<BlobStore> => {
    const real = await createFilesystemBlobStore(options);
    const isDue = (verb: Verb) => {
      seen.push(verb);
      return plan.verb === verb && seen.filter((one) => one === verb).length === plan.nth;
    };
    const broken = () => fromWriteError(Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' }));
    return {
      ...real,
      put: async (key, content, rest) => {
        if (!isDue('put')) return real.put(key, content, rest);
        if (plan.late) await real.put(key, content, rest);
        content.destroy();
        throw broken();
      },
      delete: async (key, rest) => {
        if (isDue('delete')) throw broken();
        return real.delete(key, rest);
      },
    };
  };
}

/** What is there: apps with their versions, and blobs. */
const stateOf = async (started: TestCatalog) => ({
  apps: (await started.call('GET', '/api/v1/apps?versions=all', token)).json.items.map(
    ({ name, version }) => `${name} ${version}`,
  ),
  blobs: (await started.blobKeys()).sort(),
  uploads: await started.uploads(),
});

async function bundleOf(started: TestCatalog, id: string): Promise<string> {
  return (await started.call('GET', `/api/v1/apps/${id}/bundle`, token)).text;
}

describe('an I/O error at any write of the catalog', () => {
  it('of a blob, early or late: a clear error, the old version intact, and the next try works', async () => {
    for (let nth = 1; ; nth += 1) {
      const plan: Plan = { verb: 'put', nth: 0, late: nth % 2 === 0 };
      const seen: Verb[] = [];
      const started = await startTestCatalog(failing(plan, seen));
      try {
        const old = await started.importBytes(await bundle('1.0.0'), token);
        assert.equal(old.status, 201, old.text);
        const before = await stateOf(started);
        const oldBundle = await bundleOf(started, old.json.id);
        seen.length = 0;
        plan.nth = nth;
        const answer = await started.importBytes(await bundle('2.0.0'), token);
        if (answer.status === 201) {
          assert.ok(nth > 2, 'more than one write was tried');
          return;
        }
        assert.deepEqual([answer.status, answer.json.code], [503, 'storage_unavailable'], `write ${nth}`);
        assert.match(answer.json.detail, /cannot write to its disk .* Nothing was changed/);
        assert.deepEqual(await stateOf(started), before, `write ${nth}`);
        assert.equal(await bundleOf(started, old.json.id), oldBundle);
        assert.equal((await started.importBytes(await bundle('2.0.0'), token)).status, 201);
      } finally {
        await started.stop();
      }
    }
  });

  it('of a deletion: the app is gone for people, and what is left of it is swept', async () => {
    const plan: Plan = { verb: 'delete', nth: 0, late: false };
    const seen: Verb[] = [];
    const started = await startTestCatalog(failing(plan, seen));
    try {
      const { json } = await started.importBytes(await bundle('1.0.0'), token);
      seen.length = 0;
      plan.nth = 1;
      const answer = await started.call('DELETE', `/api/v1/apps/${json.id}`, token);
      assert.ok(answer.status === 204 || answer.json.code === 'storage_unavailable', answer.text);
      assert.equal((await started.call('GET', `/api/v1/apps/${json.id}`, token)).status, 404);
      await started.catalog.sweep({ olderThanMs: -1000 });
      assert.deepEqual(await stateOf(started), { apps: [], blobs: [], uploads: [] });
    } finally {
      await started.stop();
    }
  });

  it('of a row: the database’s full disk or broken one is said, nothing of the bundle stays', async () => {
    const started = await startTestCatalog(createFilesystemBlobStore);
    const { sql } = started.database;
    try {
      const old = await started.importBytes(await bundle('1.0.0'), token);
      const before = await stateOf(started);
      for (const [state, said] of [
        ['53100', /cannot write/],
        ['58030', /cannot write/],
        ['57014', /takes too long/],
      ] as const) {
        await sql.unsafe(`create or replace function catalog.broken() returns trigger language plpgsql as
          $$ begin raise exception 'could not extend file: No space left on device' using errcode = '${state}'; end $$;
          create trigger broken before insert or update or delete on catalog.apps for each row execute function catalog.broken()`);
        const id = old.json.id;
        for (const answer of [
          await started.importBytes(await bundle('2.0.0'), token),
          await started.changeVisibility(id, 'ALL_USERS', token),
          await started.call('DELETE', `/api/v1/apps/${id}`, token),
        ]) {
          assert.deepEqual([answer.status, answer.json.code], [503, 'database_unavailable'], answer.text);
          assert.match(answer.json.detail, said);
        }
        await sql.unsafe('drop trigger broken on catalog.apps');
        assert.deepEqual(await stateOf(started), before);
        assert.equal((await bundleOf(started, id)).length > 0, true);
      }
      assert.equal((await started.importBytes(await bundle('2.0.0'), token)).status, 201);
    } finally {
      await started.stop();
    }
  });

  const mayMount = process.getuid?.() === 0;
  it('of a disk that the kernel made read-only after errors', {
    skip: !mayMount && 'needs root to mount a tmpfs',
  }, async () => {
    for (const folder of ['uploads', 'blobs']) {
      const directory = await mkdtemp(path.join(tmpdir(), 'haic-catalog-ro-'));
      const disk = path.join(directory, folder);
      await mkdir(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
      const started = await startTestCatalog(createFilesystemBlobStore, { directory });
      try {
        const old = await started.importBytes(await bundle('1.0.0'), token);
        const before = await stateOf(started);
        execFileSync('mount', ['-o', 'remount,ro', disk]);
        const answer = await started.importBytes(await bundle('2.0.0'), token);
        assert.deepEqual([answer.status, answer.json.code], [503, 'storage_unavailable'], answer.text);
        assert.deepEqual(await stateOf(started), before);
        assert.ok((await bundleOf(started, old.json.id)).length > 0);
        execFileSync('mount', ['-o', 'remount,rw', disk]);
        assert.equal((await started.importBytes(await bundle('2.0.0'), token)).status, 201);
      } finally {
        await started.stop().catch(() => {
          // The folder of a mount cannot be removed while it is mounted.
        });
        execFileSync('umount', [disk]);
        await rm(directory, { recursive: true, force: true });
      }
    }
  });
});
