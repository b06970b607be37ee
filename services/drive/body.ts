import { createHash } from 'node:crypto';
import { Readable, type Transform } from 'node:stream';
import { checkForm, type ExpectedChecksum, expectedChecksum } from './checksum/checksum.ts';
import { ClientGone } from './client-gone.ts';
import { type DriveError, driveError } from './errors.ts';
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
      const sent = request.message;
      if (payload === undefined) {
        const sha256 = request.payloadHash === unsignedPayload ? undefined : request.payloadHash;
        // It stays for who answers on its connection, and reads the rest before.
        return verified(sent, { size, sha256, checksum }, () => sent.pause());
      }
      const decoder = createChunkedDecoder({
        payload,
        verified: request,
        decodedLength: size,
        trailerName: checksum !== undefined && checksum.value === undefined ? checksum.header : undefined,
        onTrailer: (value) => {
          if (checksum === undefined) return;
          checkForm(checksum.header, value);
          checksum.value = value;
        },
      });
      return verified(pipe(sent, decoder), { size, sha256: undefined, checksum }, () => decoder.destroy());
    },
  };
}

/** An error or an early end of the one before ends the one behind, too. */
function endTogether(before: Readable, behind: Readable): void {
  // Who reads it may have left by the time at which it fails; an error that nobody hears would end the process.
  behind.on('error', () => {});
  before.once('error', (error) => behind.destroy(error));
  before.once('close', () => {
    if (!before.readableEnded) behind.destroy(new ClientGone());
  });
}

function pipe(from: Readable, to: Transform): Transform {
  endTogether(from, to);
  to.once('close', () => from.unpipe(to));
  return from.pipe(to);
}

/** What the source gives, ending in an error unless it is what was said. `leave` is called when no more of the source is wanted. */
function verified(
  source: Readable,
  expected: {
    readonly size: number;
    readonly sha256: string | undefined;
    readonly checksum: ExpectedChecksum | undefined;
  },
  leave: () => void,
): Readable {
  const { size, sha256, checksum } = expected;
  const hash = sha256 === undefined ? undefined : createHash('sha256');
  let received = 0;
  const refusal = (): DriveError | undefined => {
    if (received !== size)
      return driveError('IncompleteBody', `The body has ${received} bytes and not ${size}, as it said.`);
    if (hash !== undefined && hash.digest('hex') !== sha256)
      return driveError('XAmzContentSHA256Mismatch', 'The body is not the one that was signed.');
    if (checksum !== undefined && checksum.digest.digest().toString('base64') !== checksum.value)
      return driveError('BadDigest', `The body has another ${checksum.header} than the one given.`);
    return undefined;
  };
  const take = (piece: Buffer) => {
    received += piece.length;
    hash?.update(piece);
    checksum?.digest.update(piece);
    if (!content.push(piece)) source.pause();
  };
  const end = () => {
    const error = refusal();
    if (error === undefined) content.push(null);
    else content.destroy(error);
  };
  // One stream and not a Transform behind a pipe, which is two: a small object costs less than they do.
  const content = new Readable({
    read: () => void source.resume(),
    destroy: (error, done) => {
      source.off('data', take).off('end', end);
      leave();
      done(error);
    },
  });
  endTogether(source, content);
  source.pause().on('data', take).once('end', end);
  return content;
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
