import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  appendLines,
  chunkSize,
  keptLines,
  type LogChunk,
  matchingLines,
  plainLine,
} from '../src/instance/log-lines.ts';

const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_value, index) => ({
    number: from + index,
    text: `line ${from + index}`,
  }));
const numbers = (chunks: readonly LogChunk[]) =>
  chunks.flatMap((chunk) => chunk.lines.map((line) => line.number));

test('lines that overlap after a reconnect are added once', () => {
  const chunks = appendLines(appendLines([], lines(1, 300)), lines(290, 310));
  assert.deepEqual(
    numbers(chunks),
    lines(1, 310).map((line) => line.number),
  );
});

test('full chunks keep their identity when lines are added', () => {
  const before = appendLines([], lines(1, chunkSize + 10));
  const after = appendLines(before, lines(chunkSize + 11, chunkSize + 20));
  assert.equal(after[0], before[0]);
  assert.notEqual(after[1], before[1]);
});

test('of a very long log the end is kept', () => {
  const kept = numbers(appendLines([], lines(1, keptLines + 1000)));
  assert.equal(kept.at(-1), keptLines + 1000);
  assert.ok(kept.length <= keptLines);
});

test('a search finds lines whatever their case', () => {
  assert.deepEqual(
    matchingLines(appendLines([], lines(1, 30)), 'LINE 2'),
    [2, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29],
  );
  assert.deepEqual(matchingLines(appendLines([], lines(1, 3)), ''), []);
});

test('the codes that colour a terminal are not shown', () => {
  assert.equal(plainLine('\u001b[32mgreen\u001b[0m and \u001b]8;;http://x\u0007link\r'), 'green and link');
});
