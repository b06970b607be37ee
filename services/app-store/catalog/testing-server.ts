import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PartyKind, Principal } from '@haic/kit/auth/principal.ts';
import { unauthenticated } from '@haic/kit/errors.ts';
import { createHttpServer } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import type { BlobStore } from '@haic/platform/blob/port.ts';
import { migrate } from '@haic/platform/database/postgres.ts';
import { startTestDatabase } from '@haic/platform/database/testing.ts';
import type { IdentityPerson } from '@haic/services/identity/client.ts';
import type { BundleLimits } from './bundle/limits.ts';
import { catalogMigrations, createCatalog } from './catalog.ts';
import type { RuntimeVersion } from './manifest/runtime.ts';
import type { DownloadRule } from './policy.ts';
import { exampleSecrets, helloToml, runtimeVersions, zipOf } from './testing.ts';

export const octets = { 'content-type': 'application/octet-stream' };
const logger = createLogger('catalog-test', 'silent');

/** A token of the tests says who and by which client: `anna/user/portal`. */
function principalOfToken(token: string): Principal {
  const [username = '', roles = '', partyKind = 'portal'] = token.split('/');
  if (username === '') throw unauthenticated();
  return {
    subject: `sub-${username}`,
    username,
    name: undefined,
    email: undefined,
    roles: roles.split('+').filter((role) => role !== ''),
    groups: [],
    party: partyKind,
    partyKind: partyKind as PartyKind,
    instanceId: undefined,
    expiresAt: 0,
    token,
  };
}

export interface AppJson {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly icon: string | null;
  readonly visibility: string;
  readonly canRun: boolean;
  readonly canManage: boolean;
  readonly canDownload: boolean;
  readonly precondition: {
    readonly status: string;
    readonly problems: readonly { code: string; message: string; blocks: boolean }[];
    readonly checkedAt: string;
  };
  readonly versions: { readonly id: string; readonly version: string; readonly canRun: boolean }[];
}

export interface AnswerJson extends AppJson {
  readonly items: AppJson[];
  readonly nextPageToken?: string;
  readonly code: string;
  readonly detail: string;
  readonly details: Record<string, unknown>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly json: AnswerJson;
}

export type TestCatalog = Awaited<ReturnType<typeof startTestCatalog>>;

/** The catalog as it is composed, on a real server, database and disk. Only tokens are made up. `openBlobs` is an adapter's. */
export async function startTestCatalog(
  openBlobs: (options: { directory: string }) => Promise<BlobStore>,
  options: {
    limits?: Partial<BundleLimits>;
    downloads?: DownloadRule;
    versionLimit?: number;
    directory?: string;
    runtimeVersions?: readonly RuntimeVersion[];
  } = {},
) {
  const { database, stop: stopDatabase } = await startTestDatabase();
  await migrate(database, catalogMigrations);
  const directory = options.directory ?? (await mkdtemp(path.join(tmpdir(), 'haic-catalog-')));
  await mkdir(directory, { recursive: true });
  const uploadDirectory = path.join(directory, 'uploads');
  const blobs = await openBlobs({ directory: path.join(directory, 'blobs') });
  const instances = new Map<string, number>();
  const people = new Map<string, IdentityPerson>();
  const handedOver: string[] = [];
  const secrets = exampleSecrets();
  const catalog = await createCatalog({
    database,
    blobs,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.downloads === undefined ? {} : { downloads: options.downloads }),
    ...(options.versionLimit === undefined ? {} : { versionLimit: options.versionLimit }),
    runtimeVersions: options.runtimeVersions ?? runtimeVersions,
    instancesOf: async (appId) => instances.get(appId) ?? 0,
    identity: {
      findPersonByName: async (username) => people.get(username),
      findPerson: async (subject) => people.get(subject.replace(/^sub-/, '')),
    },
    secrets,
    whenAppIsHandedOver: async (appId, owner) => {
      handedOver.push(`${appId} ${owner}`);
    },
    temporaryDirectory: uploadDirectory,
    logger,
  });
  const server = createHttpServer({ logger, verifyToken: async (token) => principalOfToken(token) });
  catalog.register(server);
  const base = await server.listen({ port: 0, host: '127.0.0.1' });

  async function call(
    method: string,
    url: string,
    token: string,
    request: { body?: Buffer | string; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const response = await fetch(base + url, {
      method,
      headers: { authorization: `Bearer ${token}`, ...request.headers },
      ...(request.body === undefined ? {} : { body: Buffer.from(request.body) }),
    });
    const text = await response.text();
    const isJson = text !== '' && response.headers.get('content-type')?.includes('json');
    return { status: response.status, text, json: (isJson ? JSON.parse(text) : {}) as AnswerJson };
  }

  const importBytes = (body: Buffer, token: string, visibility?: string) =>
    call('POST', `/api/v1/apps${visibility === undefined ? '' : `?visibility=${visibility}`}`, token, {
      body,
      headers: octets,
    });

  let imported = 0;
  /** Imports an app of its own name. `app` are more lines of [App]; `toml` is all of app.toml. */
  async function importApp(
    token: string,
    make: {
      visibility?: string;
      name?: string;
      version?: string;
      app?: string;
      toml?: string;
      files?: Record<string, Buffer | string>;
    } = {},
  ): Promise<AppJson> {
    imported += 1;
    const toml = helloToml
      .replace('ai.haic.hello', make.name ?? `app-${imported}`)
      .replace('1.0.0', make.version ?? '1.0.0')
      .replace('[Runtime]', `${make.app ?? ''}\n[Runtime]`);
    const zip = await zipOf({ 'app.toml': make.toml ?? toml, 'app.py': 'x', ...make.files });
    const answer = await importBytes(zip, token, make.visibility);
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
  }

  return {
    base,
    catalog,
    database,
    blobs,
    instances,
    secrets,
    /** Whom identity knows, by user name. */
    people,
    /** What the scheduler was told: app and subject of its new owner. */
    handedOver,
    call,
    importBytes,
    importApp,
    changeVisibility: (id: string, visibility: string, token: string) =>
      call('PATCH', `/api/v1/apps/${id}`, token, {
        body: JSON.stringify({ visibility }),
        headers: { 'content-type': 'application/json' },
      }),
    blobKeys: async () => {
      const signal = AbortSignal.timeout(60_000);
      const pages = ['bundles/', 'assets/'].map((prefix) => blobs.list({ prefix, signal }));
      return (await Promise.all(pages)).flatMap((page) => page.blobs.map((blob) => blob.key));
    },
    uploads: () => readdir(uploadDirectory),
    stop: async () => {
      await server.close();
      await stopDatabase();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
