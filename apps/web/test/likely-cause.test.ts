import assert from 'node:assert/strict';
import { test } from 'node:test';
import { likelyCause } from '../src/instance/likely-cause.ts';

const failed = { reason: 'CrashLoopBackOff', message: 'The app ended with exit code 1.' };

test('the last telling line of the log gives the cause', () => {
  const cause = likelyCause(failed, [
    'KeyError: "HOME_DIR"',
    "ModuleNotFoundError: No module named 'pandaz'",
    'bye',
  ]);
  assert.match(cause, /imports “pandaz”/);
});

test('what the platform knows for sure goes before a line of the log', () => {
  const message = 'The app used more memory than its limit of 2 GiB and was ended.';
  assert.equal(
    likelyCause({ reason: 'OOMKilled', message }, ["ModuleNotFoundError: No module named 'x'"]),
    message,
  );
});

test('without a telling line the platform has the word', () => {
  assert.equal(likelyCause(failed, ['starting', 'bye']), failed.message);
  assert.match(likelyCause({ reason: '', message: '' }, []), /The log does not tell/);
});
