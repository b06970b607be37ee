import type { IssuedCredentials } from '../model.ts';
import {
  algorithm,
  canonicalRequest,
  scopeText,
  sign,
  signingKeyOf,
  stringToSign,
} from '../signature/canonical.ts';
import { percentEncode, percentEncodePath, type QueryParameter } from '../signature/encoding.ts';

/** Which region signs is nothing to Drive; the one that S3 clients take without being told. */
const region = 'us-east-1';

/** An address that lets whoever has it do this one thing, until it ends ("Authenticating requests: using query parameters"). */
export function presign(
  credentials: Pick<IssuedCredentials, 'accessKeyId' | 'secretAccessKey'> &
    Partial<Pick<IssuedCredentials, 'sessionToken'>>,
  wanted: {
    readonly method: 'GET' | 'PUT';
    readonly driveUrl: string;
    readonly bucket: string;
    readonly key: string;
    readonly query?: Readonly<Record<string, string>>;
    readonly expiresIn: number;
    readonly now?: number;
  },
): string {
  const { origin, host, pathname } = new URL(wanted.driveUrl);
  const timestamp = new Date(wanted.now ?? Date.now()).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = { day: timestamp.slice(0, 8), region, service: 's3' };
  const rawPath = `${pathname.replace(/\/$/, '')}/${percentEncode(wanted.bucket)}/${percentEncodePath(wanted.key)}`;
  const query: QueryParameter[] = Object.entries({
    'X-Amz-Algorithm': algorithm,
    'X-Amz-Credential': `${credentials.accessKeyId}/${scopeText(scope)}`,
    'X-Amz-Date': timestamp,
    'X-Amz-Expires': String(wanted.expiresIn),
    'X-Amz-SignedHeaders': 'host',
    // Keys that do not end have none.
    ...(credentials.sessionToken === undefined ? {} : { 'X-Amz-Security-Token': credentials.sessionToken }),
    ...wanted.query,
  }).map(([name, value]) => ({ name, value }));
  const request = { method: wanted.method, rawPath, query, headers: new Map([['host', [host]]]) };
  const canonical = canonicalRequest(request, rawPath, ['host'], 'UNSIGNED-PAYLOAD');
  const signature = sign(
    signingKeyOf(credentials.secretAccessKey, scope),
    stringToSign(timestamp, scope, canonical),
  );
  const text = [...query, { name: 'X-Amz-Signature', value: signature }]
    .map(({ name, value }) => `${percentEncode(name)}=${percentEncode(value)}`)
    .join('&');
  return `${origin}${rawPath}?${text}`;
}
