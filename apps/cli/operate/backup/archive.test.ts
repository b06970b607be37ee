import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { type BackupHeader, formatVersion, parts } from './format.ts';
import { isEncrypted, readArchive, textOf } from './read-archive.ts';
import { chunkBytes } from './tar.ts';
import { writeArchive } from './write-archive.ts';

const header: BackupHeader = {
  format: formatVersion,
  haic: '0.1.0',
  postgres: '18.4',
  createdAt: '2026-01-02T03:04:05.000Z',
  publicUrl: 'http://localhost:8080',
  settings: {},
};
const never = new AbortController().signal;
/** Several chunks and a bit, that no compressor makes smaller. */
const large = randomBytes(2 * chunkBytes + 17);
const contents: [string, Buffer][] = [
  ['database/rows/catalog.apps', Buffer.from('one\ttwo\n')],
  ['empty', Buffer.alloc(0)],
  ['volumes/large.tar', large],
  ['exactly', large.subarray(0, chunkBytes)],
];

async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 70_001) yield bytes.subarray(at, at + 70_001);
}

describe('the file of a backup', () => {
  let directory: string;
  const place = (name: string) => path.join(directory, name);
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'haic-archive-'));
    await write('plain');
    await write('secret', { passphrase: 'correct horse' });
  });
  after(() => rm(directory, { recursive: true, force: true }));

  async function write(
    name: string,
    options: { passphrase?: string; head?: BackupHeader } = {},
  ): Promise<void> {
    const archive = await writeArchive(place(name), { passphrase: options.passphrase, signal: never });
    await archive.addText(parts.header, JSON.stringify(options.head ?? header));
    for (const [part, bytes] of contents) await archive.add(part, inPieces(bytes));
    assert.equal(await archive.finish(), (await stat(place(name))).size);
  }
  const read = async (name: string, passphrase?: string) => {
    const found: [string, Buffer][] = [];
    const head = await readArchive(place(name), { passphrase, signal: never }, async (part) => {
      const chunks: Buffer[] = [];
      for await (const chunk of part.content) chunks.push(chunk);
      found.push([part.name, Buffer.concat(chunks)]);
    });
    return { head, found };
  };
  const refused = (name: string, error: string, passphrase?: string) =>
    assert.rejects(read(name, passphrase), (thrown: Error) => {
      assert.equal(thrown.name === 'Damaged' ? 'Damaged' : thrown.constructor.name, error, String(thrown));
      return true;
    });

  it('gives back every part, in order, whole, with and without a passphrase', async () => {
    assert.deepEqual(await read('plain'), { head: header, found: contents });
    assert.deepEqual(await read('secret', 'correct horse'), { head: header, found: contents });
    assert.equal(await isEncrypted(place('plain')), false);
    assert.equal(await isEncrypted(place('secret')), true);
  });

  it('reads on by itself over what a reader leaves of a part', async () => {
    const names: string[] = [];
    await readArchive(place('plain'), { passphrase: undefined, signal: never }, async ({ name, content }) => {
      names.push(name);
      if (name === 'volumes/large.tar') await content[Symbol.asyncIterator]().next();
    });
    assert.deepEqual(
      names,
      contents.map(([name]) => name),
    );
  });

  it('is for its owner alone, and any tar lists it', async () => {
    assert.equal((await stat(place('plain'))).mode & 0o777, 0o600);
    const listed = execFileSync('tar', ['-t'], { input: zstdDecompressSync(await readFile(place('plain'))) })
      .toString()
      .trim()
      .split('\n');
    assert.deepEqual(listed.slice(0, 5), [
      'header.json',
      ...contents.slice(0, 2).map(([n]) => n),
      'volumes/large.tar',
      'volumes/large.tar~2',
    ]);
    assert.equal(listed.at(-1), 'manifest.sha256');
  });

  it('shows nothing of its content when it is encrypted', async () => {
    const bytes = await readFile(place('secret'));
    for (const word of ['localhost', 'header.json', 'one\ttwo']) assert.ok(!bytes.includes(word), word);
  });

  it('is refused when it was cut off anywhere', async () => {
    for (const name of ['plain', 'secret']) {
      const whole = await readFile(place(name));
      for (const length of [0, 10, 200, whole.length >> 1, whole.length - 600, whole.length - 1]) {
        await writeFile(place('cut'), whole.subarray(0, length));
        const asked = name === 'plain' ? undefined : 'correct horse';
        await refused('cut', 'Damaged', asked);
      }
    }
  });

  it('is refused when a bit was turned anywhere', async () => {
    for (const name of ['plain', 'secret']) {
      const whole = await readFile(place(name));
      // Each look into an encrypted one costs half a second of scrypt.
      const step = Math.floor(whole.length / (name === 'plain' ? 25 : 5));
      for (let at = 120; at < whole.length; at += step) {
        const changed = Buffer.from(whole);
        changed.writeUInt8(changed.readUInt8(at) ^ 0x10, at);
        await writeFile(place('flipped'), changed);
        if (name === 'plain') await assert.rejects(read('flipped'), `bit ${at}`);
        else await assert.rejects(read('flipped', 'correct horse'), `bit ${at}`);
      }
    }
  });

  it('is refused when something was added', async () => {
    for (const name of ['plain', 'secret']) {
      await writeFile(place('longer'), Buffer.concat([await readFile(place(name)), Buffer.of(0)]));
      await refused('longer', 'Damaged', name === 'plain' ? undefined : 'correct horse');
    }
  });

  it('tells a wrong passphrase from damage', async () => {
    await refused('secret', 'WrongPassphrase', 'battery staple');
  });

  it('of a newer format is refused by name', async () => {
    await write('newer', { head: { ...header, format: formatVersion + 1, haic: '9.9.9' } });
    await assert.rejects(read('newer'), /made by Haic 9\.9\.9 in format 2; this Haic reads up to 1/);
  });

  it('that is something else is refused', async () => {
    await writeFile(place('other'), randomBytes(5000));
    await refused('other', 'Damaged');
  });

  it('never takes the place of a file, and is nowhere until it is finished', async () => {
    const before = (await readdir(directory)).sort();
    await assert.rejects(write('plain'), /plain exists already/);
    const cancelled = new AbortController();
    const archive = await writeArchive(place('half'), { passphrase: undefined, signal: cancelled.signal });
    await archive.addText(parts.header, '{}');
    cancelled.abort(new Error('enough'));
    await assert.rejects(archive.add('large', inPieces(large)), /enough/);
    await archive.discard();
    assert.deepEqual((await readdir(directory)).sort(), before);
  });

  it('hands out small parts as text', async () => {
    let text = '';
    await readArchive(place('plain'), { passphrase: undefined, signal: never }, async ({ name, content }) => {
      if (name === 'database/rows/catalog.apps') text = await textOf(content);
    });
    assert.equal(text, 'one\ttwo\n');
  });
});
