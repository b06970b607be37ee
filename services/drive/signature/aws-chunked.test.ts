import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DriveError } from '../errors.ts';
import { createChunkedDecoder } from './aws-chunked.ts';
import { scopeText, sign, signingKeyOf } from './canonical.ts';
import type { Authorization } from './read-authorization.ts';

const scope = { day: '20260102', region: 'us-east-1', service: 's3' };
const signingKey = signingKeyOf('secret', scope);
const seed = 'a'.repeat(64);
const authorization = {
  signature: seed,
  timestamp: '20260102T030405Z',
  scope,
} as unknown as Authorization;
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');

type Kind = { readonly signed: boolean; readonly trailer: boolean };

/** As the SDKs frame a body, by the description of the protocol. */
function frame(chunks: readonly Buffer[], kind: Kind, trailer = 'x-amz-checksum-crc32:AAAAAA=='): Buffer {
  let previous = seed;
  const next = (type: string, ...hashes: string[]) => {
    const text = [`AWS4-HMAC-SHA256-${type}`, authorization.timestamp, scopeText(scope), previous, ...hashes];
    previous = sign(signingKey, text.join('\n'));
    return previous;
  };
  const parts: Buffer[] = [];
  for (const chunk of [...chunks, Buffer.alloc(0)]) {
    const extension = kind.signed ? `;chunk-signature=${next('PAYLOAD', sha256(''), sha256(chunk))}` : '';
    parts.push(Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`), chunk);
    if (chunk.length > 0) parts.push(Buffer.from('\r\n'));
  }
  if (kind.trailer) {
    parts.push(Buffer.from(`${trailer}\r\n`));
    if (kind.signed)
      parts.push(Buffer.from(`x-amz-trailer-signature:${next('TRAILER', sha256(`${trailer}\n`))}\r\n`));
  }
  return Buffer.concat([...parts, Buffer.from('\r\n')]);
}

async function decode(
  pieces: readonly Buffer[],
  kind: Kind,
  decodedLength: number,
  trailerName: string | undefined = kind.trailer ? 'x-amz-checksum-crc32' : undefined,
): Promise<{ bytes: Buffer; trailer: string | undefined }> {
  let trailer: string | undefined;
  const decoder = createChunkedDecoder({
    payload: kind,
    verified: { authorization, signingKey },
    decodedLength,
    trailerName,
    onTrailer: (value) => {
      trailer = value;
    },
  });
  const source = Readable.from(pieces);
  source.once('error', (error) => decoder.destroy(error));
  const bytes = await buffer(source.pipe(decoder));
  return { bytes, trailer };
}

const cut = (bytes: Buffer, at: readonly number[]): Buffer[] => {
  const ends = [...new Set(at.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends].map((start, index) => bytes.subarray(start, ends[index] ?? bytes.length));
};

const kinds: readonly Kind[] = [
  { signed: true, trailer: false },
  { signed: true, trailer: true },
  { signed: false, trailer: true },
];
const isRefusal = (error: unknown) =>
  error instanceof DriveError && error.status >= 400 && error.status < 500;
const numRuns = process.env.HAIC_TEST_SIZE === 'full' ? 10_000 : 300;

describe('an aws-chunked body', () => {
  it('is what was framed, however it is cut on its way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.constantFrom(...kinds),
        async (arrays, places, kind) => {
          const chunks = arrays.map((array) => Buffer.from(array));
          const content = Buffer.concat(chunks);
          const { bytes, trailer } = await decode(cut(frame(chunks, kind), places), kind, content.length);
          assert.ok(bytes.equals(content));
          assert.equal(trailer, kind.trailer ? 'AAAAAA==' : undefined);
        },
      ),
      { numRuns },
    );
  });

  it('with one byte changed is refused wherever it is signed, and is never taken for another where it is not', async () => {
    const chunks = [randomBytes(100), randomBytes(40)];
    const content = Buffer.concat(chunks);
    for (const kind of kinds) {
      const framed = frame(chunks, kind);
      await fc.assert(
        fc.asyncProperty(fc.nat(framed.length - 1), fc.integer({ min: 1, max: 255 }), async (place, by) => {
          const changed = Buffer.from(framed);
          changed[place] = (changed[place] ?? 0) ^ by;
          const outcome = await decode([changed], kind, content.length).catch((error: unknown) => error);
          if (outcome instanceof Error) assert.ok(isRefusal(outcome), String(outcome));
          else if (kind.signed) assert.ok((outcome as { bytes: Buffer }).bytes.equals(content));
        }),
        { numRuns: Math.ceil(numRuns / 3) },
      );
    }
  });

  it('that ends early, goes on, or is longer or shorter than it said is refused', async () => {
    const chunks = [randomBytes(100)];
    for (const kind of kinds) {
      const framed = frame(chunks, kind);
      for (const end of [0, 1, 50, framed.length - 2, framed.length - 1])
        await assert.rejects(decode([framed.subarray(0, end)], kind, 100), isRefusal);
      await assert.rejects(decode([framed, Buffer.from('x')], kind, 100), isRefusal);
      await assert.rejects(decode([framed], kind, 99), isRefusal);
      await assert.rejects(decode([framed], kind, 101), isRefusal);
    }
  });

  it('of chunks in another order, or one of another body, is refused', async () => {
    const kind = { signed: true, trailer: false };
    const one = frame([Buffer.from('1111'), Buffer.from('2222')], kind);
    const chunk = (text: string) => {
      const start = one.indexOf(text) - '4;chunk-signature='.length - 66;
      return one.subarray(start, start + '4;chunk-signature='.length + 66 + 6);
    };
    const swapped = Buffer.concat([chunk('2222'), chunk('1111'), one.subarray(chunk('1111').length * 2)]);
    assert.equal(swapped.length, one.length);
    await assert.rejects(decode([swapped], kind, 8), /signature/);
  });

  it('has no line without an end, and no trailer that was not announced', async () => {
    const kind = { signed: false, trailer: true };
    await assert.rejects(decode([Buffer.alloc(100_000, '0')], kind, 10), /too long/);
    const endless = Buffer.from(`0\r\n${'x-a:b\r\n'.repeat(5000)}`);
    await assert.rejects(decode([endless], kind, 0), /too long/);
    await assert.rejects(decode([frame([], kind, 'x-amz-checksum-sha1:AAAA')], kind, 0), /announced/);
    await assert.rejects(decode([frame([], kind)], { signed: false, trailer: false }, 0), isRefusal);
  });

  it('that is nonsense is refused, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
          fc
            .string({ unit: fc.constantFrom('0', '1', 'f', ';', '\r', '\n', ':', 'x', '='), maxLength: 60 })
            .map((text) => Buffer.from(text)),
        ),
        fc.constantFrom(...kinds),
        fc.nat(100),
        async (bytes, kind, length) => {
          const outcome = await decode([bytes], kind, length).catch((error: unknown) => error);
          if (outcome instanceof Error) assert.ok(isRefusal(outcome), String(outcome));
          else assert.equal((outcome as { bytes: Buffer }).bytes.length, length);
        },
      ),
      { numRuns },
    );
  });
});
