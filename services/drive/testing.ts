import { createHash, createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { callAuditInto } from '@haic/kit/audit/testing.ts';
import type { Principal } from '@haic/kit/auth/principal.ts';
import { verifyToken } from '@haic/kit/auth/verify-token.ts';
import { notFound, unavailable } from '@haic/kit/errors.ts';
import { createLogger } from '@haic/kit/logging.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import type { AuditedAction } from '@haic/services/audit/client.ts';
import type { ActingParty } from '@haic/services/identity/client.ts';
import type { WorkspaceAccess, WorkspaceRole } from '@haic/services/workspaces/client.ts';
import { SignatureV4 } from '@smithy/signature-v4';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import type { Patience } from './deadline.ts';
import { createDrive, type Drive, driveMigrations } from './drive.ts';

const issuer = 'https://haic.test/auth/realms/haic';

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
  /** `<Code>` of an error. */
  readonly code: string | undefined;
}

export interface Ask {
  readonly method?: string;
  /** As it goes over the wire. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | Readable;
}

/** Drive with real parts below it, an issuer of its own, and workspaces of which the test says who is what. */
export interface TestDrive {
  readonly drive: Drive;
  readonly port: number;
  readonly directory: string;
  readonly blobs: BlobStore;
  readonly databaseUrl: string;
  /** `<subject> <workspace id>` → role; `default` is looked up as `<subject>-home`. */
  readonly roles: Map<string, WorkspaceRole>;
  /** What the audit trail heard. */
  readonly trail: { readonly actions: AuditedAction[]; away: boolean };
  /** Subjects, sign-ins and instances that ended. */
  readonly ended: Set<string>;
  token(claims?: JWTPayload, lifetime?: string): Promise<string>;
  /** Whom such a token is. */
  principal(): Promise<Principal>;
  sts(fields: Readonly<Record<string, string>>): Promise<Answer>;
  /** Temporary keys of somebody. */
  keysOf(subject: string, claims?: JWTPayload, seconds?: number): Promise<Keys>;
  /** Signed by the SDK's own signer, unless `keys` is undefined. */
  ask(keys: Keys | undefined, request: Ask): Promise<Answer>;
  /** As it is. */
  send(request: Ask): Promise<Answer>;
  stop(): Promise<void>;
}

/** `makeStore` is the adapter's: services see none. */
export async function startTestDrive(
  makeStore: (options: { directory: string; etags: 'md5' }) => Promise<BlobStore>,
  options: {
    quota?: number;
    wrap?: (blobs: BlobStore) => BlobStore;
    directory?: string;
    patience?: Patience;
    auditObjects?: boolean;
  } = {},
): Promise<TestDrive> {
  const { database, url, stop } = await startTestDatabase();
  await migrate(database, driveMigrations);
  const directory = options.directory ?? (await mkdtemp(path.join(tmpdir(), 'haic-test-drive-')));
  const plain = await makeStore({ directory, etags: 'md5' });
  const blobs = options.wrap?.(plain) ?? plain;
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const keySet = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'key' }] });
  const roles = new Map<string, WorkspaceRole>();
  const ended = new Set<string>();
  const verify = (token: string) => verifyToken(token, keySet, { issuer, audience: 'haic' });
  const trail: TestDrive['trail'] = { actions: [], away: false };
  const drive = await createDrive({
    database,
    audit: {
      record: async (action) => {
        if (trail.away) throw unavailable('audit_unavailable', 'It cannot be recorded.');
        trail.actions.push(action);
      },
      recordMany: async (actions) => {
        if (trail.away) throw unavailable('audit_unavailable', 'It cannot be recorded.');
        trail.actions.push(...actions);
      },
      ...callAuditInto((call) => trail.actions.push(call)),
    },
    blobs,
    masterKey: randomBytes(32),
    verifyToken: verify,
    workspaces: workspacesOf(roles),
    standing: {
      mayStillAct: async ({ subject, instanceId, signIn }: ActingParty) =>
        ![subject, instanceId, signIn].some((name) => name !== undefined && ended.has(name)),
    },
    driveUrl: 'http://localhost:8082',
    publicUrl: 'http://localhost:8080',
    defaultQuota: options.quota ?? 0,
    patience: options.patience,
    auditObjects: options.auditObjects ?? false,
    listen: [{ host: '127.0.0.1', port: 0 }],
    logger: createLogger('drive', 'silent'),
  });
  const { port } = await drive.listen();
  const token: TestDrive['token'] = (claims = {}, lifetime = '5m') =>
    new SignJWT({ azp: 'haic-platform', preferred_username: 'ada', ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'key' })
      .setIssuer((claims.iss as string | undefined) ?? issuer)
      .setAudience((claims.aud as string | undefined) ?? 'haic')
      .setSubject((claims.sub as string | undefined) ?? 'ada')
      .setIssuedAt()
      .setExpirationTime(lifetime)
      .sign(privateKey);
  const send: TestDrive['send'] = (request) => exchange(port, request);
  const sts: TestDrive['sts'] = (fields) =>
    send({
      method: 'POST',
      path: '/sts',
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: new URLSearchParams({
        Action: 'AssumeRoleWithWebIdentity',
        Version: '2011-06-15',
        RoleArn: 'drivedrivedrivedrive',
        RoleSessionName: 'test',
        ...fields,
      }).toString(),
    });
  return {
    ...{ drive, trail, port, directory, blobs, databaseUrl: url, roles, ended, token, sts, send },
    principal: async () => verify(await token()),
    keysOf: async (subject, claims, seconds = 3600) => {
      const WebIdentityToken = await token({ sub: subject, ...claims });
      const { text } = await sts({ WebIdentityToken, DurationSeconds: String(seconds) });
      return {
        accessKeyId: between(text, 'AccessKeyId') ?? '',
        secretAccessKey: between(text, 'SecretAccessKey') ?? '',
        sessionToken: between(text, 'SessionToken') ?? '',
      };
    },
    ask: async (keys, request) => send(keys === undefined ? request : await signed(keys, port, request)),
    stop: async () => {
      await drive.close();
      await stop();
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

function workspacesOf(roles: ReadonlyMap<string, WorkspaceRole>) {
  return {
    accessOf: async ({ subject }: { subject: string }, name: string): Promise<WorkspaceAccess> => {
      const id = name === 'workspaces/default' ? `${subject}-home` : name.replace('workspaces/', '');
      const role = name === 'workspaces/default' ? 'owner' : roles.get(`${subject} ${id}`);
      if (role === undefined) throw notFound('This workspace');
      return { workspace: `workspaces/${id}`, role };
    },
    workspacesOf: async ({ subject }: { subject: string }): Promise<readonly WorkspaceAccess[]> =>
      [...roles]
        .map(([key, role]) => ({ key: key.split(' '), role }))
        .filter(({ key }) => key[0] === subject)
        .map(({ key, role }) => ({ workspace: `workspaces/${key[1]}`, role })),
  };
}

/** The text of the first such element, its five entities resolved. */
export const between = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`)
    .exec(xml)?.[1]
    ?.replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
export const allBetween = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map((match) => match[1] ?? '');

/** Node's hashes in the form that the SDK's signer wants them. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = secret === undefined || typeof secret === 'string' ? secret : bytesOf(secret);
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === 'string' ? data : bytesOf(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}
const bytesOf = (data: ArrayBuffer | ArrayBufferView): Buffer =>
  ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);

export const signerOf = (keys: Keys): SignatureV4 =>
  new SignatureV4({
    credentials: keys,
    region: 'eu-central-1',
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
  });

async function signed(keys: Keys, port: number, request: Ask): Promise<Ask> {
  const { method = 'GET', query = {}, body, headers = {} } = request;
  const hash =
    headers['x-amz-content-sha256'] ??
    (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
      ? createHash('sha256')
          .update(body ?? '')
          .digest('hex')
      : 'UNSIGNED-PAYLOAD');
  const signedRequest = await signerOf(keys).sign({
    method,
    protocol: 'http:',
    hostname: '127.0.0.1',
    port,
    path: request.path,
    query: { ...query },
    headers: { ...headers, host: `127.0.0.1:${port}`, 'x-amz-content-sha256': hash },
  });
  return { ...request, headers: signedRequest.headers as Record<string, string> };
}

const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

export const queryText = (query: Readonly<Record<string, string>>): string =>
  Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');

function exchange(port: number, request: Ask): Promise<Answer> {
  const { method = 'GET', path: target, query = {}, headers = {}, body } = request;
  const text = queryText(query);
  const options: RequestOptions = {
    host: '127.0.0.1',
    port,
    method,
    path: text === '' ? target : `${target}?${text}`,
    headers: {
      ...headers,
      ...(typeof body === 'string' || Buffer.isBuffer(body)
        ? { 'content-length': String(Buffer.byteLength(body)) }
        : {}),
    },
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(options, (incoming) => {
      buffer(incoming).then((bytes) => {
        const said = bytes.toString();
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text: said,
          bytes,
          code: between(said, 'Code'),
        });
      }, reject);
    });
    outgoing.once('error', reject);
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) outgoing.end(body);
    else pipeline(body, outgoing).catch(reject);
  });
}
