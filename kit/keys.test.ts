import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { deriveKey, open, seal } from './keys.ts';

test('a label always gives the same key, another label another one', () => {
  const master = randomBytes(32);
  assert.deepEqual(deriveKey(master, 'instance:1'), deriveKey(master, 'instance:1'));
  assert.notDeepEqual(deriveKey(master, 'instance:1'), deriveKey(master, 'instance:2'));
  assert.notDeepEqual(deriveKey(master, 'instance:1'), deriveKey(randomBytes(32), 'instance:1'));
  assert.equal(deriveKey(master, 'x').length, 32);
});

test('a short master key is refused', () => {
  assert.throws(() => deriveKey(randomBytes(16), 'x'), /at least 32/);
});

test('what is sealed opens again with the same key and context only', () => {
  const key = deriveKey(randomBytes(32), 'a');
  const sealed = seal(key, 'a secret', 'row 1');
  assert.equal(open(key, sealed, 'row 1').toString(), 'a secret');
  assert.equal(sealed.includes('a secret'), false);
  assert.throws(() => open(key, sealed, 'row 2'));
  assert.throws(() => open(randomBytes(32), sealed, 'row 1'));
  assert.notDeepEqual(seal(key, 'a secret', 'row 1'), sealed);
});

test('a changed, shortened or foreign value never opens', () => {
  const key = randomBytes(32);
  const sealed = seal(key, 'a secret');
  for (let index = 0; index < sealed.length; index++) {
    const changed = Buffer.from(sealed);
    changed[index] = (changed[index] ?? 0) ^ 1;
    assert.throws(() => open(key, changed), `byte ${index}`);
    assert.throws(() => open(key, sealed.subarray(0, index)), `length ${index}`);
  }
});
