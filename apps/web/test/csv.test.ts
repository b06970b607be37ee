import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCsv } from '../src/drive/csv.ts';
import { bytes } from '../src/drive/format.ts';
import { kindOfPreview } from '../src/drive/preview-kind.ts';

const whole = { isWhole: true, mostRows: 100 };

test('CSV: quotes, separators and line ends of all kinds', () => {
  assert.deepEqual(parseCsv('a,b\r\n"x, ""y""","two\nlines"\n', whole), [
    ['a', 'b'],
    ['x, "y"', 'two\nlines'],
  ]);
  assert.deepEqual(parseCsv('\uFEFFa;b\n1,5;2', whole), [
    ['a', 'b'],
    ['1,5', '2'],
  ]);
  assert.deepEqual(parseCsv('a\tb\n\n', whole), [['a', 'b']]);
  assert.deepEqual(parseCsv('', whole), []);
  assert.deepEqual(parseCsv('one', whole), [['one']]);
});

test('of CSV that was cut off, the half row at its end is not shown', () => {
  assert.deepEqual(parseCsv('a,b\n1,2\n3,', { isWhole: false, mostRows: 100 }), [
    ['a', 'b'],
    ['1', '2'],
  ]);
  assert.equal(parseCsv('a\n'.repeat(50), { isWhole: false, mostRows: 10 }).length, 10);
});

test('sizes have a unit and few digits', () => {
  assert.deepEqual([0, 999, 1000, 99_950, 999_600, 1_500_000_000, 2e15].map(bytes), [
    ...['0 B', '999 B', '1.0 kB', '100 kB', '1.0 MB', '1.5 GB', '2.0 PB'],
  ]);
});

test('what may be shown is told by the name, and HTML is text', () => {
  assert.deepEqual(
    ['a.CSV', 'README.md', 'p.svg', 'page.html', 'x.zip', 'Dockerfile', 'noname'].map(kindOfPreview),
    [...['table', 'markdown', 'picture', 'text', 'none', 'text', 'none']],
  );
});
