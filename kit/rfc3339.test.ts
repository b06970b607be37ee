import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readTime, timeText } from './rfc3339.ts';

const anySecond = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 });
const anyNanos = fc.oneof(fc.constantFrom(0, 1, 1000, 500_000_000), fc.integer({ min: 0, max: 999_999_999 }));

describe('times of RFC 3339', () => {
  it('are written as Date writes them, with no more digits than needed', () => {
    fc.assert(
      fc.property(anySecond, (second) => {
        assert.equal(timeText(second, 0), new Date(second * 1000).toISOString().replace('.000Z', 'Z'));
      }),
      { numRuns: 2000 },
    );
    assert.equal(timeText(0, 120_000_000), '1970-01-01T00:00:00.120Z');
    assert.equal(timeText(0, 1000), '1970-01-01T00:00:00.000001Z');
    assert.equal(timeText(-1, 1), '1969-12-31T23:59:59.000000001Z');
  });

  it('are read as they were written, at any offset', () => {
    fc.assert(
      fc.property(anySecond, anyNanos, fc.integer({ min: -1439, max: 1439 }), (second, nanos, minutes) => {
        const text = timeText(second, nanos);
        assert.deepEqual(readTime(text), { seconds: second, nanos, hasOffset: true });
        const shifted = second + minutes * 60;
        fc.pre(shifted >= -62_135_596_800 && shifted <= 253_402_300_799);
        const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
        const pad = (number: number) => String(number).padStart(2, '0');
        const offset = `${minutes < 0 ? '-' : '+'}${pad(hours)}:${pad(rest)}`;
        const there = timeText(shifted, nanos).replace('Z', offset);
        assert.deepEqual(readTime(there), { seconds: second, nanos, hasOffset: true }, there);
      }),
      { numRuns: 2000 },
    );
  });

  it('may be as Python writes them', () => {
    assert.deepEqual(readTime('1970-01-01 00:00:01.5'), {
      ...{ seconds: 1, nanos: 500_000_000, hasOffset: false },
    });
    assert.deepEqual(readTime('1970-01-01t00:00:01.1234567899z'), {
      ...{ seconds: 1, nanos: 123_456_789, hasOffset: true },
    });
  });

  it('are days and hours that exist', () => {
    for (const wrong of [
      ...['', '2026', '2026-01-01', '2026-01-01T', '2026-13-01T00:00:00Z', '2026-00-01T00:00:00Z'],
      ...['2026-02-29T00:00:00Z', '2100-02-29T00:00:00Z', '2026-04-31T00:00:00Z', '2026-01-00T00:00:00Z'],
      ...['2026-01-01T24:00:00Z', '2026-01-01T00:60:00Z', '2026-01-01T00:00:60Z', '0000-12-31T00:00:00Z'],
      ...[
        '0001-01-01T00:00:00+00:01',
        '9999-12-31T23:59:59-00:01',
        '2026-01-01T00:00:00.Z',
        '2026/01-01T00:00:00Z',
      ],
      ...[
        '2026-01-01T00:00:00+0000',
        '2026-01-01T00:00:00+24:00',
        '2026-01-01T00:00:00Zx',
        '2026-01-01x00:00:00Z',
      ],
      ...['+026-01-01T00:00:00Z', '2026-01-01T00.00:00Z', '2026-01-01T00:00:0', '２026-01-01T00:00:00Z'],
    ])
      assert.equal(readTime(wrong), undefined, wrong);
    for (const right of ['2024-02-29T00:00:00Z', '2000-02-29T23:59:59Z', '0001-01-01T00:00:00Z'])
      assert.ok(readTime(right), right);
  });

  it('are these, or nothing, of any text', () => {
    const almost = fc.tuple(anySecond, fc.nat(30), fc.string({ maxLength: 2 })).map(([second, at, text]) => {
      const time = timeText(second, 5);
      return time.slice(0, at) + text + time.slice(at + 1);
    });
    fc.assert(
      fc.property(fc.oneof(almost, fc.string()), (text) => {
        const time = readTime(text);
        if (time === undefined || !time.hasOffset) return;
        const known = Date.parse(
          text
            .replace(/ |t/, 'T')
            .replace('z', 'Z')
            .replace(/(\.\d{3})\d+/, '$1'),
        );
        assert.equal(Math.floor(known / 1000), time.seconds, text);
      }),
      { numRuns: 2000 },
    );
  });
});
