import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createDisk, createOwnDisk, diskOn } from './create-disk.ts';
import { createOwnThread, type Thread } from './thread.ts';
import { createThreads } from './threads.ts';

describe('threads that work on the disk', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'haic-disk-'));
  });
  after(() => rm(directory, { recursive: true }));

  for (const [name, disk] of [
    ['threads', createDisk()],
    ['the own thread', createOwnDisk()],
  ] as const) {
    it(`${name}: a file is what was written to it, one piece after the other, with its digests`, async () => {
      const file = path.join(directory, name);
      const made = await disk.create(file, ['md5', 'sha256']);
      const buffer = Buffer.allocUnsafeSlow(13);
      buffer.write('one');
      const next = await made.write(buffer, 3);
      assert.equal(next.length, 13, 'the memory comes back');
      next.write(', two');
      await made.write(next, 5);
      assert.deepEqual(await made.finish(), {
        md5: '3a37a61c264e5f21af86f0daae04a092',
        sha256: '0c1b6ea1e8cbcff9c63c94c0e27a684db1711542355bf79a6fa989e335830175',
      });
      assert.equal(await readFile(file, 'utf8'), 'one, two');
      await made.abandon();
    });

    it(`${name}: errors keep their code, and what comes after them is done`, async () => {
      const file = path.join(directory, `${name} twice`);
      await (await disk.create(file, [])).abandon();
      await assert.rejects(disk.create(file, []), { code: 'EEXIST', syscall: 'open' });
      await assert.rejects(disk.readRecord(directory), { code: 'EISDIR' });
      assert.equal(await disk.readRecord(path.join(file, 'below a file')), undefined);
    });
  }

  it('a large file is brought to the disk while it is written, and one of which that failed is not finished', async () => {
    const own = createOwnThread();
    const done: string[] = [];
    let breaks = false;
    const thread: Thread = {
      ...own,
      call: async (name, ...args) => {
        done.push(name);
        if (name === 'syncData' && breaks)
          throw Object.assign(new Error('broken for a test'), { code: 'EIO' });
        return own.call(name, ...args);
      },
    };
    const disk = diskOn(() => thread);
    const mebibyte = 1024 ** 2;
    const write = async (file: string, mebibytes: number) => {
      const made = await disk.create(path.join(directory, file), ['md5']);
      let buffer: Buffer = Buffer.alloc(mebibyte);
      for (let i = 0; i < mebibytes; i += 1) buffer = await made.write(buffer, mebibyte);
      return made;
    };
    await (await write('seven', 7)).finish();
    assert.ok(!done.includes('syncData'), 'a smaller one is left to the end');
    await (await write('seventeen', 17)).finish();
    assert.equal(done.filter((name) => name === 'syncData').length, 2);
    breaks = true;
    const broken = await write('broken', 17);
    await assert.rejects(broken.finish(), { code: 'EIO' });
    assert.equal(done.at(-1), 'abandon', 'and is closed');
    await broken.abandon();
    assert.equal(done.filter((name) => name === 'abandon').length, 1);
    const abandoned = await write('abandoned', 8);
    await abandoned.abandon();
    assert.equal(done.at(-1), 'abandon');
  });

  it('are as many as have work to do, and each is used before another one starts', async () => {
    const threads = createThreads();
    const first = threads.pick();
    assert.equal(threads.pick(), first);
    const reading = first.call('readRecord', path.join(directory, 'none'));
    const second = threads.pick();
    assert.notEqual(second, first);
    await reading;
    assert.equal(threads.pick(), first);
    await second.call('readRecord', path.join(directory, 'none'));
  });

  it('that end fail what they were given, and the next work is for others', async () => {
    const threads = createThreads();
    const thread = threads.pick();
    await thread.call('readRecord', path.join(directory, 'none'));
    const failing = thread.call('readRecord', path.join(directory, 'none'));
    thread.end();
    await assert.rejects(failing, /has ended/);
    await assert.rejects(thread.call('readRecord', path.join(directory, 'none')), /has ended/);
    assert.equal(await threads.pick().call('readRecord', path.join(directory, 'none')), undefined);
  });
});
