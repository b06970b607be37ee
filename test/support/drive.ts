import { createHash } from 'node:crypto';
import { signerOf } from '@haic/services/drive/testing.ts';
import type { Haic } from './haic.ts';

type WithDrive = Pick<Haic, 'driveUrl'>;

export const driveUrlOf = ({ driveUrl }: WithDrive): string => driveUrl;

export interface TemporaryKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** What STS says to an access token. */
export async function askSts(
  haic: WithDrive,
  token: string,
  seconds = 3600,
): Promise<{ status: number; text: string; code: string | undefined }> {
  const response = await fetch(`${haic.driveUrl}/sts`, {
    method: 'POST',
    body: new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: 'drivedrivedrivedrive',
      RoleSessionName: 'test',
      DurationSeconds: String(seconds),
      WebIdentityToken: token,
    }),
  });
  const text = await response.text();
  return { status: response.status, text, code: textOf(text, 'Code') };
}

/** Temporary keys of whom the access token is of. */
export async function driveKeys(haic: WithDrive, token: string, seconds?: number): Promise<TemporaryKeys> {
  const { status, text } = await askSts(haic, token, seconds);
  if (status !== 200) throw new Error(`STS answered ${status}: ${text}`);
  const take = (name: string) => textOf(text, name) ?? '';
  return {
    accessKeyId: take('AccessKeyId'),
    secretAccessKey: take('SecretAccessKey'),
    sessionToken: take('SessionToken'),
  };
}

const textOf = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

/** What Drive answers to a request that is signed with these keys, or with none. */
export async function askDrive(
  haic: WithDrive,
  keys: TemporaryKeys | undefined,
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
): Promise<{ readonly status: number; readonly bytes: Buffer }> {
  const url = new URL(path, haic.driveUrl);
  const request = {
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    headers: {
      host: url.host,
      'x-amz-content-sha256': createHash('sha256')
        .update(body ?? '')
        .digest('hex'),
    },
  };
  const { host: _host, ...headers } = (keys === undefined ? request : await signerOf(keys).sign(request))
    .headers;
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
}

export const driveStatus = async (...request: Parameters<typeof askDrive>): Promise<number> =>
  (await askDrive(...request)).status;
