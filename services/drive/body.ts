import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { checkForm, type Digest, type ExpectedChecksum, expectedChecksum } from './checksum/checksum.ts';
import { ClientGone } from './client-gone.ts';
import { driveError } from './errors.ts';
import type { DriveRequest } from './request.ts';
import { createChunkedDecoder } from './signature/aws-chunked.ts';
import { streamingPayloadOf, unsignedPayload } from './signature/payload.ts';

/** The content of a request as it will be kept: without frames, ending in an error unless it is what was said and signed. */
export interface Body {
  /** Bytes, known before the first of them came. */
  readonly size: number;
  /** Lower-case hex, by Content-MD5. */
  readonly md5: string | undefined;
  /** Lets the client send, where it waits for that. To be called once, when nothing speaks against the request any more. */
  open(): Readable;
}

export function bodyOf(request: DriveRequest, mostBytes: number): Body {
  const { header } = request;
  const payload = streamingPayloadOf(request.payloadHash);
  const isFramed = (header('content-encoding') ?? '')
    .toLowerCase()
    .split(/\s*,\s*/)
    .includes('aws-chunked');
  if (isFramed && payload === undefined)
    throw driveError('InvalidRequest', 'An aws-chunked body is announced by x-amz-content-sha256.');
  const lengthHeader = payload === undefined ? 'content-length' : 'x-amz-decoded-content-length';
  const size = lengthOf(header(lengthHeader), lengthHeader);
  if (size > mostBytes)
    throw driveError('EntityTooLarge', `At most ${mostBytes} bytes come in one request; send more in parts.`);
  const checksum = expectedChecksum(request.headerNames, header);
  const md5 = md5Of(header('content-md5'));
  return {
    size,
    md5,
    open: () => {
      request.proceed();
      const source = request.message;
      const plain =
        payload === undefined
          ? source
          : pipe(
              source,
              createChunkedDecoder({
                payload,
                verified: request,
                decodedLength: size,
                trailerName:
                  checksum !== undefined && checksum.value === undefined ? checksum.header : undefined,
                onTrailer: (value) => {
                  if (checksum === undefined) return;
                  checkForm(checksum.header, value);
                  checksum.value = value;
                },
              }),
            );
      const sha256 =
        payload === undefined && request.payloadHash !== unsignedPayload ? request.payloadHash : undefined;
      return pipe(plain, createVerifier({ size, sha256, checksum }), source);
    },
  };
}

/** An error or an early end of the one before ends the one behind, too. */
function pipe(from: Readable, to: Transform, source?: IncomingMessage): Transform {
  // Who reads it may have left by the time at which it fails; an error that nobody hears would end the process.
  to.on('error', () => {});
  from.once('error', (error) => to.destroy(error));
  from.once('close', () => {
    if (!from.readableEnded) to.destroy(new ClientGone());
  });
  to.once('close', () => {
    from.unpipe(to);
    if (from !== source && source !== undefined) from.destroy();
  });
  return from.pipe(to);
}

function createVerifier(expected: {
  readonly size: number;
  readonly sha256: string | undefined;
  readonly checksum: ExpectedChecksum | undefined;
}): Transform {
  const { size, sha256, checksum } = expected;
  const hash = sha256 === undefined ? undefined : createHash('sha256');
  const digest: Digest | undefined = checksum?.digest;
  let received = 0;
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      received += piece.length;
      hash?.update(piece);
      digest?.update(piece);
      done(null, piece);
    },
    flush(done) {
      if (received !== size)
        return done(
          driveError('IncompleteBody', `The body has ${received} bytes and not ${size}, as it said.`),
        );
      if (hash !== undefined && hash.digest('hex') !== sha256)
        return done(driveError('XAmzContentSHA256Mismatch', 'The body is not the one that was signed.'));
      if (checksum !== undefined && digest?.digest().toString('base64') !== checksum.value)
        return done(driveError('BadDigest', `The body has another ${checksum.header} than the one given.`));
      done();
    },
  });
}

function lengthOf(text: string | undefined, name: string): number {
  if (text === undefined) throw driveError('MissingContentLength', `The request needs a ${name} header.`);
  const length = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(length))
    throw driveError('InvalidArgument', `${name} is no length.`);
  return length;
}

function md5Of(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 16 || bytes.toString('base64') !== text)
    throw driveError('InvalidDigest', 'Content-MD5 is no MD5 in base64.');
  return bytes.toString('hex');
}
