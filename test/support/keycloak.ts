import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, cp, mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { deadline, until } from '@haic/kit/deadline.ts';
import type { Front } from './front.ts';
import { execute } from './haic.ts';

/** Keycloak as it is released to Maven Central, by digest. */
const release = {
  version: '26.7.3',
  artifact: 'org.keycloak:keycloak-quarkus-dist:26.7.3:zip',
  file: 'org/keycloak/keycloak-quarkus-dist/26.7.3/keycloak-quarkus-dist-26.7.3.zip',
  sha256: '27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f',
};
const getGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get';

const admin = { username: 'boss', password: 'only-for-tests' };
/** A small heap and the first compiler only: it serves a handful of requests. */
const javaEnvironment = {
  JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m',
  JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1',
};

export interface KeycloakUser {
  readonly username: string;
  readonly password: string;
  readonly roles?: readonly string[];
  readonly groups?: readonly string[];
  readonly name?: { readonly first: string; readonly last: string };
}

/** A real Keycloak with a database of its own, on loopback. */
export interface Keycloak {
  /** Of the process that the server descends from. */
  readonly pid: number;
  /** On loopback, in clear. */
  readonly port: number;
  issuer(realm: string): string;
  importRealm(realm: unknown): Promise<void>;
  addUser(realm: string, user: KeycloakUser): Promise<string>;
  /** The administration API: `GET /admin/realms/<realm><path>`. */
  admin<T>(method: string, realm: string, path: string, body?: unknown): Promise<T>;
  stop(): Promise<void>;
}

/** As it is released: for whoever measures it. */
const asReleased = { JAVA_OPTS_APPEND: '' };

export async function startKeycloak(
  options: {
    asReleased?: boolean;
    /** What it is reached through. */
    front?: Front;
    /** Where it is reached, as its tokens name it, where that is not on loopback. */
    address?: string;
  } = {},
): Promise<Keycloak> {
  const { front } = options;
  const home = await ensureKeycloak();
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-keycloak-'));
  await cp(path.join(home, 'seed'), directory, { recursive: true });
  const [port, managementPort] = [await freePort(), await freePort()];
  const java = options.asReleased === true ? asReleased : javaEnvironment;
  if (front !== undefined) front.target = port;
  const base = `${options.address ?? `http://localhost:${front?.port ?? port}`}/auth`;
  const child = await startServer({ home, directory, port, managementPort, base, java });

  let token: { value: string; until: number } | undefined;
  const adminToken = async (): Promise<string> => {
    if (token !== undefined && token.until > Date.now()) return token.value;
    const form = { grant_type: 'password', client_id: 'admin-cli', ...admin };
    const response = await fetch(`${base}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    token = {
      value: ((await response.json()) as { access_token: string }).access_token,
      until: Date.now() + 30_000,
    };
    return token.value;
  };
  const call = async (method: string, address: string, body?: unknown): Promise<Response> => {
    const response = await fetch(address, {
      method,
      headers: { authorization: `Bearer ${await adminToken()}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${address}: ${response.status} ${await response.text()}`);
    return response;
  };
  const administer = async <T>(method: string, realm: string, below: string, body?: unknown): Promise<T> => {
    const text = await (await call(method, `${base}/admin/realms/${realm}${below}`, body)).text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };

  return {
    pid: child.pid ?? 0,
    port,
    issuer: (realm) => `${base}/realms/${realm}`,
    importRealm: async (realm) => void (await call('POST', `${base}/admin/realms`, realm)),
    admin: administer,
    addUser: async (realm, user) => {
      const created = await call('POST', `${base}/admin/realms/${realm}/users`, {
        username: user.username,
        enabled: true,
        email: `${user.username}@example.org`,
        emailVerified: true,
        firstName: user.name?.first ?? user.username,
        lastName: user.name?.last ?? 'Example',
        credentials: [{ type: 'password', value: user.password, temporary: false }],
        groups: (user.groups ?? []).map((group) => `/${group}`),
      });
      const id = created.headers.get('location')?.split('/').at(-1) ?? '';
      const roles = await Promise.all(
        (user.roles ?? []).map((role) => administer('GET', realm, `/roles/${role}`)),
      );
      await administer('POST', realm, `/users/${id}/role-mappings/realm`, roles);
      return id;
    },
    stop: async () => {
      await endGroup(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * Downloads, checks, builds and primes Keycloak once: `build` fixes what is known at build time, and a database with its schema and
 * administrator is kept as a seed, which together are most of the CPU time of a first start. Returns its folder.
 */
export async function ensureKeycloak(): Promise<string> {
  const cache = process.env.HAIC_CACHE ?? path.join(tmpdir(), 'haic-test-cache');
  const home = path.join(cache, 'keycloak', release.version);
  if (await exists(home)) return home;
  const archive = await downloadedArchive(cache);
  const staging = `${home}.${process.pid}`;
  await mkdir(staging, { recursive: true });
  await execute('unzip', ['-q', archive, '-d', staging]);
  const unpacked = path.join(staging, `keycloak-${release.version}`);
  const environment = { ...process.env, ...javaEnvironment };
  await execute(
    path.join(unpacked, 'bin/kc.sh'),
    ['build', '--db=dev-file', '--health-enabled=true', '--cache=local', '--http-relative-path=/auth'],
    environment,
  );
  const directory = path.join(unpacked, 'seed');
  await mkdir(directory);
  const [port, managementPort] = [await freePort(), await freePort()];
  const java = javaEnvironment;
  const base = `http://localhost:${port}/auth`;
  await endGroup(await startServer({ home: unpacked, directory, port, managementPort, base, java }));
  await rm(path.join(directory, 'keycloak.log'), { force: true });
  await rename(unpacked, home).catch(async (error: unknown) => {
    if (!(await exists(home))) throw error;
  });
  await rm(staging, { recursive: true, force: true });
  return home;
}

async function downloadedArchive(cache: string): Promise<string> {
  const repository = path.join(cache, 'maven');
  const archive = path.join(repository, release.file);
  if (!(await exists(archive)))
    await execute('mvn', [
      ...['-q', '-B', `-Dmaven.repo.local=${repository}`, getGoal],
      ...[`-Dartifact=${release.artifact}`, '-Dtransitive=false'],
    ]);
  const digest = createHash('sha256');
  await pipeline(createReadStream(archive), digest);
  const found = digest.digest('hex');
  if (found === release.sha256) return archive;
  await rm(archive);
  throw new Error(`${release.artifact} has the SHA-256 ${found} instead of ${release.sha256}.`);
}

async function startServer(options: {
  home: string;
  directory: string;
  port: number;
  managementPort: number;
  /** Its own address, as its tokens name it. */
  base: string;
  java: Readonly<Record<string, string>>;
}): Promise<ChildProcess> {
  const { home, directory, port, managementPort, base, java } = options;
  const log = await open(path.join(directory, 'keycloak.log'), 'w');
  const child = spawn(
    path.join(home, 'bin/kc.sh'),
    [
      ...['start', '--optimized', '--http-enabled=true', '--http-host=127.0.0.1', `--http-port=${port}`],
      ...[`--http-management-port=${managementPort}`, `--hostname=${base}`],
      `--db-url=jdbc:h2:file:${directory}/h2;NON_KEYWORDS=VALUE`,
    ],
    {
      env: {
        ...process.env,
        ...java,
        KC_BOOTSTRAP_ADMIN_USERNAME: admin.username,
        KC_BOOTSTRAP_ADMIN_PASSWORD: admin.password,
      },
      // A process group of its own: its script is not what must be stopped.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    },
  );
  await log.close();
  const ready = async () => {
    if (child.exitCode !== null) throw new Error(`Keycloak ended; see ${directory}/keycloak.log`);
    const answer = await fetch(`http://127.0.0.1:${managementPort}/auth/health/ready`).catch(() => undefined);
    return answer?.ok === true ? true : undefined;
  };
  await until(ready, { everyMs: 250, signal: deadline(240_000) });
  return child;
}

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  process.kill(-child.pid, 'SIGTERM');
  const hard = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 20_000);
  await ended;
  clearTimeout(hard);
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
