import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';
import { percentEncode, type QueryParameter } from './encoding.ts';

/** The steps of "Create a signed AWS API request", by their names there. */

export const algorithm = 'AWS4-HMAC-SHA256';

/** A request as far as a signature covers it. */
export interface SignableRequest {
  readonly method: string;
  /** As it was sent, with any prefix, without the query. */
  readonly rawPath: string;
  readonly query: readonly QueryParameter[];
  /** All values of each header in their order, under its name in lower case. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

export interface CredentialScope {
  /** `20260102`. */
  readonly day: string;
  readonly region: string;
  readonly service: string;
}

export const scopeText = ({ day, region, service }: CredentialScope): string =>
  `${day}/${region}/${service}/aws4_request`;

export const sha256Hex = (data: string | Buffer): string => hash('sha256', data);
const hmac = (key: string | Buffer | KeyObject, data: string): Buffer =>
  createHmac('sha256', key).update(data).digest();

/** `path` is given apart, since what was sent may be written in more than one way. */
export function canonicalRequest(
  request: SignableRequest,
  path: string,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  const headers = signedHeaders.map(
    (name) => `${name}:${canonicalHeader(request.headers.get(name) ?? [])}\n`,
  );
  return [
    request.method,
    path,
    canonicalQuery(request.query),
    headers.join(''),
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

const canonicalHeader = (values: readonly string[]) =>
  values.map((value) => value.trim().replace(/ +/g, ' ')).join(',');

function canonicalQuery(query: readonly QueryParameter[]): string {
  return query
    .filter(({ name }) => name !== 'X-Amz-Signature')
    .map(({ name, value }) => [percentEncode(name), percentEncode(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** Escaped text is ASCII, of which code units and bytes sort the same. */
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export const stringToSign = (timestamp: string, scope: CredentialScope, canonical: string): string =>
  [algorithm, timestamp, scopeText(scope), sha256Hex(canonical)].join('\n');

export function signingKeyOf(secretAccessKey: string, { day, region, service }: CredentialScope): KeyObject {
  const ofDay = hmac(`AWS4${secretAccessKey}`, day);
  return createSecretKey(hmac(hmac(hmac(ofDay, region), service), 'aws4_request'));
}

export const sign = (key: KeyObject, text: string): string => hmac(key, text).toString('hex');
