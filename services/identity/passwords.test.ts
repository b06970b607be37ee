import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generatePassword, hashPassword, verifyPassword } from './passwords.ts';

test('a password verifies against its own hash only', async () => {
  const hash = await hashPassword('pässwörd');
  assert.match(hash, /^\$argon2id\$v=19\$m=7168,t=5,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.equal(await verifyPassword('pässwörd', hash), true);
  assert.equal(await verifyPassword('passwörd', hash), false);
  assert.notEqual(await hashPassword('pässwörd'), hash);
});

test('a password typed with combining signs is the same password', async () => {
  assert.equal(await verifyPassword('pa\u0308sswort', await hashPassword('p\u00e4sswort')), true);
});

test('nobody has no password, not even an empty or a very long one', async () => {
  for (const password of ['', 'x', 'x'.repeat(100_000)]) {
    assert.equal(await verifyPassword(password, undefined), false);
    assert.equal(await verifyPassword(password, await hashPassword('')), password === '');
  }
});

test('many at once all get their own answer', async () => {
  const hash = await hashPassword('right');
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => verifyPassword(index % 2 === 0 ? 'right' : 'wrong', hash)),
  );
  assert.deepEqual(
    answers,
    answers.map((_, index) => index % 2 === 0),
  );
});

test('a generated password is long, readable and never twice the same', () => {
  const all = new Set(Array.from({ length: 200 }, generatePassword));
  assert.equal(all.size, 200);
  for (const password of all) assert.match(password, /^[a-hjkmnp-z2-9]{5}(-[a-hjkmnp-z2-9]{5}){3}$/);
});
