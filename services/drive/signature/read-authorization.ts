import { driveError } from '../errors.ts';
import { algorithm, type CredentialScope, type SignableRequest } from './canonical.ts';

/** What a request says of its signature, before anything of it is believed. */
export interface Authorization {
  readonly by: 'header' | 'query';
  readonly accessKeyId: string;
  readonly sessionToken: string;
  readonly scope: CredentialScope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20260102T030405Z`. */
  readonly timestamp: string;
  /** Since the epoch, in milliseconds. */
  readonly signedAt: number;
  /** Of a presigned address, in seconds. */
  readonly expiresIn: number | undefined;
}

const longestPresignedSeconds = 604_800;

/** Throws `AccessDenied` for a request without a signature: nothing here is for everyone. */
export function readAuthorization(request: SignableRequest): Authorization {
  const header = request.headers.get('authorization');
  const inQuery = request.query.some(({ name }) => name === 'X-Amz-Algorithm' || name === 'X-Amz-Signature');
  if (header !== undefined && inQuery)
    throw driveError('InvalidArgument', 'A request is signed either in its header or in its address.');
  if (header !== undefined) return fromHeader(request, header);
  if (inQuery) return fromQuery(request);
  if (request.query.some(({ name }) => name === 'AWSAccessKeyId'))
    throw driveError(
      'InvalidRequest',
      `This address is signed in the way of 2006; Drive understands ${algorithm}. AWS tools have a setting for it: signature_version = s3v4.`,
    );
  throw driveError('AccessDenied', 'This request is not signed. Drive serves signed requests only.');
}

function fromHeader(request: SignableRequest, values: readonly string[]): Authorization {
  const [value = ''] = values;
  if (values.length !== 1 || !value.startsWith(`${algorithm} `))
    throw driveError('InvalidRequest', `Drive understands one way to sign: ${algorithm}.`);
  const fields = new Map<string, string>();
  for (const field of value.slice(algorithm.length).split(',')) {
    const [, name = '', text = ''] = /^\s*(\w+)=(\S*)\s*$/.exec(field) ?? [];
    if (name === '' || fields.has(name)) throw malformedHeader('it is no list of fields');
    fields.set(name, text);
  }
  const timestamp = one(request.headers.get('x-amz-date'));
  return complete({
    by: 'header',
    malformed: malformedHeader,
    credential: fields.get('Credential'),
    signedHeaders: fields.get('SignedHeaders'),
    signature: fields.get('Signature'),
    timestamp: timestamp ?? dateHeader(one(request.headers.get('date'))),
    sessionToken: one(request.headers.get('x-amz-security-token')),
    expiresIn: undefined,
  });
}

function fromQuery(request: SignableRequest): Authorization {
  const get = (name: string) => {
    const values = request.query.filter((parameter) => parameter.name === name);
    if (values.length > 1) throw malformedQuery(`${name} is there twice`);
    return values[0]?.value;
  };
  if (get('X-Amz-Algorithm') !== algorithm)
    throw malformedQuery(`X-Amz-Algorithm must be ${algorithm}, the one that Drive understands`);
  const expires = get('X-Amz-Expires') ?? '';
  const expiresIn = Number(expires);
  if (!/^\d{1,7}$/.test(expires) || expiresIn > longestPresignedSeconds)
    throw malformedQuery(`X-Amz-Expires must be a number of seconds up to ${longestPresignedSeconds}`);
  return complete({
    by: 'query',
    malformed: malformedQuery,
    credential: get('X-Amz-Credential'),
    signedHeaders: get('X-Amz-SignedHeaders'),
    signature: get('X-Amz-Signature'),
    timestamp: get('X-Amz-Date'),
    sessionToken: get('X-Amz-Security-Token'),
    expiresIn,
  });
}

function complete(read: {
  readonly by: 'header' | 'query';
  readonly malformed: (why: string) => Error;
  readonly credential: string | undefined;
  readonly signedHeaders: string | undefined;
  readonly signature: string | undefined;
  readonly timestamp: string | undefined;
  readonly sessionToken: string | undefined;
  readonly expiresIn: number | undefined;
}): Authorization {
  const { by, malformed, expiresIn } = read;
  const [, accessKeyId, day, region, service] =
    /^([\w-]{1,128})\/(\d{8})\/([\w.-]{1,64})\/([\w-]{1,32})\/aws4_request$/.exec(read.credential ?? '') ??
    [];
  if (accessKeyId === undefined || day === undefined || region === undefined || service === undefined)
    throw malformed('Credential must be <key>/<day>/<region>/s3/aws4_request');
  if (service !== 's3') throw malformed('it is for another service than s3');
  const signedHeaders = (read.signedHeaders ?? '').split(';');
  const sorted = signedHeaders.every((name, index) => index === 0 || name > (signedHeaders[index - 1] ?? ''));
  if (
    !signedHeaders.includes('host') ||
    !sorted ||
    signedHeaders.some((name) => !/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name))
  )
    throw malformed('SignedHeaders must be in lower case, sorted, each once, and "host" among them');
  if (!/^[0-9a-f]{64}$/.test(read.signature ?? ''))
    throw malformed('Signature must be 64 hexadecimal digits');
  const signedAt = timeOf(read.timestamp ?? '');
  if (signedAt === undefined)
    throw driveError('AccessDenied', 'A signed request says when it was signed, in X-Amz-Date or Date.');
  const timestamp = new Date(signedAt).toISOString().replace(/[-:]|\.\d{3}/g, '');
  if (!timestamp.startsWith(day)) throw malformed('its day is not that of the date of the request');
  return {
    by,
    accessKeyId,
    sessionToken: read.sessionToken ?? '',
    scope: { day, region, service },
    signedHeaders,
    signature: read.signature ?? '',
    timestamp,
    signedAt,
    expiresIn,
  };
}

const one = (values: readonly string[] | undefined): string | undefined =>
  values?.length === 1 ? values[0] : undefined;

/** `20260102T030405Z`; undefined for what is no such time. */
function timeOf(text: string): number | undefined {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  const time = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
  return Number.isNaN(time) ? undefined : time;
}

const dateHeader = (text: string | undefined): string | undefined => {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '');
};

const malformedHeader = (why: string) =>
  driveError('AuthorizationHeaderMalformed', `The Authorization header is not well formed: ${why}.`);
const malformedQuery = (why: string) =>
  driveError('AuthorizationQueryParametersError', `The signature in the address is not well formed: ${why}.`);
