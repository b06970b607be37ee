import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isLong, parseJson } from './json-body.ts';

const parsed = (text: string): unknown => parseJson(Buffer.from(text));

/** Without what ends or escapes a text of JSON. */
const plain = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte) => (byte < 0x20 || byte === 0x22 || byte === 0x5c ? 0x61 : byte));

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

describe('the JSON of a body', () => {
  it('keeps whole numbers that JavaScript cannot hold, wherever they stand in it', () => {
    const digits = fc.bigInt(2n ** 53n, 2n ** 64n - 1n).map(String);
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        digits,
        fc.constantFrom('', '-'),
        (before, number, sign) => {
          const [text, long] = parsed(`[${JSON.stringify(before)},${sign}${number}]`) as [string, unknown];
          assert.equal(text, before);
          assert.ok(isLong(long));
          assert.equal(long.source, sign + number);
        },
      ),
    );
  });

  it('has other numbers as JavaScript has them', () => {
    const number = fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }));
    fc.assert(
      fc.property(fc.array(number), (numbers) => {
        const text = JSON.stringify(numbers);
        const expected = JSON.parse(text);
        const exact = (parsed(text) as unknown[]).map((each) => (isLong(each) ? Number(each.source) : each));
        assert.deepEqual(exact, expected);
      }),
    );
  });

  it('is UTF-8, with any character in it', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
      fc.constant(new TextEncoder().encode('\ufffd')),
    );
    fc.assert(
      fc.property(bytes, (inside) => {
        const body = Buffer.concat([Buffer.from('"'), plain(inside), Buffer.from('"')]);
        const expected = decoded(body);
        if (expected === undefined) assert.throws(() => parseJson(body), /is not UTF-8/);
        else assert.equal(parseJson(body), JSON.parse(expected));
      }),
      { numRuns: 1000 },
    );
  });

  it('may begin with a byte order mark', () => {
    assert.deepEqual(parsed('\ufeff{"a":1}'), { a: 1 });
    assert.deepEqual(parsed('\ufeff'), {});
  });
});
