import { createHash, type Hash, timingSafeEqual } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { type DriveError, driveError } from '../errors.ts';
import { scopeText, sha256Hex, sign } from './canonical.ts';
import type { StreamingPayload } from './payload.ts';
import type { VerifiedRequest } from './verify.ts';

/** `<size>;chunk-signature=<64>`, with room for extensions of the framing that are passed over. */
const longestChunkHeader = 512;
const longestTrailer = 8 * 1024;
const nothing = sha256Hex('');

export interface ChunkedOptions {
  readonly payload: StreamingPayload;
  readonly verified: Pick<VerifiedRequest, 'authorization' | 'signingKey'>;
  /** `x-amz-decoded-content-length`. */
  readonly decodedLength: number;
  /** The one trailer that was announced by `x-amz-trailer`, in lower case. */
  readonly trailerName: string | undefined;
  /** Called before the stream ends. */
  readonly onTrailer: (value: string) => void;
}

type Step = 'chunk header' | 'data' | 'after data' | 'trailer' | 'end';

/**
 * Takes the frames of `Content-Encoding: aws-chunked` away ("Signature calculations for the Authorization header: transferring payload in
 * multiple chunks"). Each chunk's signature is checked when the chunk has ended, that of the trailer at its end: what came until then has been
 * passed on, and the error that the stream ends with keeps it from being seen. Holds one header line at most.
 */
export function createChunkedDecoder(options: ChunkedOptions): Transform {
  const { payload, decodedLength, trailerName } = options;
  const { authorization, signingKey } = options.verified;
  const scope = scopeText(authorization.scope);
  let step: Step = 'chunk header';
  let line = Buffer.alloc(0);
  let left = 0;
  let decoded = 0;
  let hash: Hash | undefined;
  let chunkSignature = '';
  let previous = authorization.signature;
  const trailerLines: string[] = [];
  let trailerBytes = 0;

  const checkSignature = (given: string, kind: 'PAYLOAD' | 'TRAILER', hashes: readonly string[]) => {
    const text = [`AWS4-HMAC-SHA256-${kind}`, authorization.timestamp, scope, previous, ...hashes].join('\n');
    const wanted = sign(signingKey, text);
    const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
    if (a.length !== b.length || !timingSafeEqual(a, b))
      throw driveError('SignatureDoesNotMatch', 'The signature of a chunk is not that of what came in it.');
    previous = wanted;
  };

  const endChunk = () => {
    if (!payload.signed) return;
    checkSignature(chunkSignature, 'PAYLOAD', [nothing, hash?.digest('hex') ?? nothing]);
  };

  const beginChunk = (header: string) => {
    const [, size = '', extensions = ''] = /^([0-9a-fA-F]{1,16})((?:;[\x20-\x7e]*)?)$/.exec(header) ?? [];
    left = Number.parseInt(size, 16);
    if (!Number.isSafeInteger(left)) throw malformed('a chunk begins with its size in hexadecimal digits');
    if (decoded + left > decodedLength)
      throw malformed('it is longer than x-amz-decoded-content-length says');
    if (payload.signed) {
      chunkSignature = /^;chunk-signature=([0-9a-f]{64})$/.exec(extensions)?.[1] ?? '';
      if (chunkSignature === '') throw malformed('a chunk has no chunk-signature');
      hash = createHash('sha256');
    }
    step = left === 0 ? 'trailer' : 'data';
    if (left === 0) endChunk();
  };

  const endTrailer = () => {
    step = 'end';
    const lines = trailerLines.map((text) => text.split(/:(.*)/s, 2) as [string, string?]);
    const signature = lines.findIndex(([name]) => name.toLowerCase() === 'x-amz-trailer-signature');
    const signatureLine = signature < 0 ? undefined : lines.splice(signature, 1)[0];
    const values = lines.map(([name, value = '']) => [name.toLowerCase(), value.trim()] as const);
    if (payload.signed && payload.trailer) {
      const canonical = values.map(([name, value]) => `${name}:${value}\n`).join('');
      checkSignature((signatureLine?.[1] ?? '').trim(), 'TRAILER', [sha256Hex(canonical)]);
    }
    if (values.length > (payload.trailer ? 1 : 0)) throw malformed('it has a trailer that was not announced');
    const [found] = values;
    if (found?.[0] !== trailerName)
      throw malformed('its trailer is not the one that x-amz-trailer announced');
    if (found !== undefined) options.onTrailer(found[1]);
  };

  const takeLine = (text: string) => {
    if (step === 'chunk header') beginChunk(text);
    else if (step === 'after data') {
      if (text !== '') throw malformed('a chunk does not end where it said');
      endChunk();
      step = 'chunk header';
    } else if (text === '') endTrailer();
    else trailerLines.push(text);
  };

  /** The rest of the piece, after what belongs to the line that is being read. */
  const readLine = (piece: Buffer): Buffer => {
    const end = piece.indexOf(0x0a);
    const part = end < 0 ? piece : piece.subarray(0, end + 1);
    const longest = step === 'trailer' ? longestTrailer : longestChunkHeader;
    if (step === 'trailer') trailerBytes += part.length;
    if (line.length + part.length > longest || trailerBytes > longestTrailer)
      throw driveError('InvalidRequest', 'A line of the aws-chunked framing is too long.');
    line = Buffer.concat([line, part]);
    if (end < 0) return Buffer.alloc(0);
    const text = line.toString('latin1').replace(/\r?\n$/, '');
    line = Buffer.alloc(0);
    takeLine(text);
    return piece.subarray(end + 1);
  };

  return new Transform({
    transform(piece: Buffer, _encoding, done: TransformCallback) {
      try {
        let rest = piece;
        while (rest.length > 0) {
          if (step === 'end') throw malformed('there is more after its end');
          if (step !== 'data') {
            rest = readLine(rest);
            continue;
          }
          const data = rest.subarray(0, left);
          hash?.update(data);
          left -= data.length;
          decoded += data.length;
          this.push(data);
          rest = rest.subarray(data.length);
          if (left === 0) step = 'after data';
        }
        done();
      } catch (error) {
        done(error as DriveError);
      }
    },
    flush(done) {
      if (step === 'end' && decoded === decodedLength) return done();
      done(driveError('IncompleteBody', 'The body ended before its last chunk, or is shorter than it said.'));
    },
  });
}

const malformed = (why: string) =>
  driveError('InvalidRequest', `The body is not well-formed aws-chunked: ${why}.`);
