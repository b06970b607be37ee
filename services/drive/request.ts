import type { IncomingMessage, ServerResponse } from 'node:http';
import { driveError } from './errors.ts';
import type { DriveSession } from './model.ts';
import type { SignableRequest } from './signature/canonical.ts';
import { percentDecode, readQuery } from './signature/encoding.ts';
import type { VerifiedRequest } from './signature/verify.ts';

/** A verified request, as operations see it. */
export interface DriveRequest extends VerifiedRequest {
  readonly session: DriveSession;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  readonly method: string;
  /** '' for the list of buckets. */
  readonly bucket: string;
  /** '' for the bucket itself. */
  readonly key: string;
  readonly headerNames: readonly string[];
  /** The values of the header, joined by a comma. */
  header(name: string): string | undefined;
  query(name: string): string | undefined;
  /** Answers `Expect: 100-continue`; nothing is sent to us before. */
  proceed(): void;
  /** More time, for so many bytes in either direction. */
  allow(bytes: number): void;
  /** Aborts when the client goes away, and when it is too slow. */
  readonly signal: AbortSignal;
}

/** The parts that are signed, with all headers as they came. */
export function readSignable(message: IncomingMessage): SignableRequest {
  const target = message.url ?? '/';
  const question = target.indexOf('?');
  const query = readQuery(question < 0 ? '' : target.slice(question + 1));
  // Absolute form (`GET http://…`) is for proxies.
  if (query === undefined || !target.startsWith('/'))
    throw driveError('InvalidURI', 'The address is not well formed.');
  const headers = new Map<string, string[]>();
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    const name = (message.rawHeaders[index] ?? '').toLowerCase();
    const value = message.rawHeaders[index + 1] ?? '';
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  return {
    method: message.method ?? 'GET',
    rawPath: question < 0 ? target : target.slice(0, question),
    query,
    headers,
  };
}

/** `/<bucket>/<key>`. A key is what is decoded, byte for byte; there is no `.` and no `..` here. */
export function readPath(rawPath: string): { bucket: string; key: string } {
  const path = rawPath.slice(1);
  const slash = path.indexOf('/');
  const bucket = percentDecode(slash < 0 ? path : path.slice(0, slash));
  const key = slash < 0 ? '' : percentDecode(path.slice(slash + 1));
  if (bucket === undefined || key === undefined)
    throw driveError('InvalidURI', 'The path is not well-formed UTF-8, percent-encoded.');
  if (Buffer.byteLength(key) > 1024)
    throw driveError('KeyTooLongError', 'A key has at most 1024 bytes of UTF-8.');
  return { bucket, key };
}
