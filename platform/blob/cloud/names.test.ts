import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostileKeys } from '../contract.ts';
import { compareKeys } from '../key.ts';
import { nameOf, namePrefixOf, readFolder, readName } from './names.ts';

const alphabet = [
  'a',
  'b',
  '/',
  '.',
  '!',
  ' ',
  '-',
  '0',
  '~',
  '[',
  '\\',
  '\0',
  '\n',
  '\u007f',
  '\u0085',
  'é',
  '\ufffd',
  '\uffff',
  '😀',
  '\uffee',
];

/** Deterministic, so that a failure can be looked at. */
function* randomKeys(count: number): Generator<string> {
  let state = 12345;
  const next = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  const bases = ['', 'a'.repeat(199), 'a'.repeat(200), 'x/'.repeat(398), 'b'.repeat(795)];
  for (let i = 0; i < count; i += 1) {
    const tail = Array.from({ length: 1 + next(6) }, () => alphabet[next(alphabet.length)]).join('');
    yield (bases[next(bases.length)] ?? '') + tail;
  }
}

const keys = [...new Set([...hostileKeys, ...randomKeys(800)])];
const isHashed = (key: string) => 'hashed' in (readName(nameOf(key)) ?? {});

describe('names of objects', () => {
  it('are plain for plain keys, and those of people’s files can be read', () => {
    assert.equal(nameOf('user/home/report.csv'), 'user/home/report.csv!');
    assert.equal(nameOf('my file!'), 'my!20file!21!');
    assert.equal(nameOf('../etc//passwd/'), '.2E./etc/.2Fpasswd/!');
  });

  it('say their key, unless it is so long that a hash stands for it', () => {
    for (const key of keys) {
      const name = nameOf(key);
      assert.deepEqual(readName(name), isHashed(key) ? { hashed: true } : { key });
      assert.ok(Buffer.byteLength(name) <= 900, name);
      for (const segment of name.split('/')) {
        assert.ok(segment !== '' && segment !== '.' && segment !== '..', name);
        assert.ok(Buffer.byteLength(segment) <= 255, name);
      }
    }
    assert.equal(new Set(keys.map(nameOf)).size, keys.length);
  });

  it('sort like their keys', () => {
    const plain = keys.filter((key) => !isHashed(key)).sort(compareKeys);
    const named = plain.map((key) => ({ key, name: Buffer.from(nameOf(key)) }));
    const byUtf16 = plain.map(nameOf).sort();
    assert.deepEqual(byUtf16, plain.map(nameOf), 'also for a store that sorts by UTF-16');
    const sorted = named.sort((a, b) => Buffer.compare(a.name, b.name)).map(({ key }) => key);
    assert.deepEqual(sorted, plain);
  });

  it('start alike exactly when their keys do', () => {
    const some = keys.filter((key) => !isHashed(key)).slice(0, 200);
    const named = some.map((key) => ({ key, name: nameOf(key), prefix: namePrefixOf(key) }));
    for (const one of named)
      for (const other of named)
        if (one.name.startsWith(other.prefix) !== one.key.startsWith(other.key))
          assert.fail(`${one.key} and ${other.key}`);
  });

  it('never make a folder of what is a file', () => {
    const names = new Set(keys.map(nameOf));
    for (const name of names)
      for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1))
        assert.ok(!names.has(name.slice(0, at)), name);
  });

  it('know a folder of keys from the middle of a long segment, and what is not theirs', () => {
    assert.equal(readFolder('a/b/'), 'a/b/');
    assert.equal(readFolder(`${'a'.repeat(200)}/`), undefined);
    for (const name of ['README', 'a', 'a/', '!', 'a!2!', '%!41!', 'a//b!', '!61!'])
      assert.equal(readName(name), undefined, name);
  });
});
