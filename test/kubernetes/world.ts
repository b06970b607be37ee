import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { testImage, testIndex } from '@haic/cli/images/test-image.ts';
import { deadline, until } from '@haic/kit/deadline.ts';
import { startEmbeddedPostgres } from '@haic/platform/database/embedded/server.ts';
import { findCluster, setHosts, type TestCluster } from '@haic/test-cluster/cluster.ts';
import { network } from '@haic/test-cluster/layout.ts';
import { Agent, setGlobalDispatcher } from 'undici';
import { define } from '../../deploy/charts/tests/definitions.ts';
import { balance, removeTraefik, runTraefik } from '../../deploy/charts/tests/traefik.ts';
import { execute, type Haic } from '../support/haic.ts';
import { makeAuthority } from './certificates.ts';
import { podsOf } from './pods.ts';
import { relay } from './relay.ts';

const chart = fileURLToPath(new URL('../../deploy/charts/haic', import.meta.url));
const domain = 'haic.test';
const tlsSecret = 'haic-tls';
const databasePort = 5432;
/** PostgreSQL's, of `platform/database/embedded`. */
const databaseUid = 65_534;

/** A Haic as pods, installed by its chart behind a real Traefik: with a database and a certificate authority of the organisation's own. */
export interface HaicInCluster extends Pick<Haic, 'url' | 'driveUrl' | 'addUser' | 'accessToken'> {
  readonly account: string;
  readonly cluster: TestCluster;
  readonly caFile: string;
  kubectl(...words: string[]): Promise<string>;
  helm(...words: string[]): Promise<string>;
  /** Installs or upgrades, with these values over those of the test. */
  install(values?: Readonly<Record<string, unknown>>): Promise<void>;
  stop(): Promise<void>;
}

export type Authority = Awaited<ReturnType<typeof makeAuthority>>;

/** What is there before: more of the account's Secret, and values that follow from what an authority of its own has made. */
export interface Before {
  readonly values: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
}

export async function startHaicInCluster(
  firstValues: Readonly<Record<string, unknown>> = {},
  prepare: (authority: Authority) => Promise<Before> = async () => ({ values: {}, secrets: {} }),
): Promise<HaicInCluster> {
  const cluster = await clusterOfTest();
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-in-cluster-'));
  await chmod(directory, 0o711);
  const authority = await makeAuthority(directory);
  const account = `haic-${randomBytes(3).toString('hex')}`;
  const ended: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const stop = async () => {
    for (const end of ended.reverse()) await end();
  };
  const kubectl = (...words: string[]) => execute('kubectl', words);
  const helm = (...words: string[]) => execute('helm', ['--namespace', account, ...words]);
  try {
    const certificate = await authority.issue('database', [`IP:${network.node}`]);
    await chown(certificate.keyFile, databaseUid, databaseUid);
    await chmod(certificate.keyFile, 0o600);
    const password = randomBytes(12).toString('hex');
    const database = await startEmbeddedPostgres({
      cacheDirectory: process.env.HAIC_CACHE ?? '/var/cache/haic',
      dataDirectory: path.join(directory, 'database'),
      logFile: path.join(directory, 'database.log'),
      password,
      preferredPort: 0,
      durable: false,
      parameters: { ssl: 'on', ssl_cert_file: certificate.certFile, ssl_key_file: certificate.keyFile },
      signal: AbortSignal.timeout(120_000),
    });
    ended.push(database.stop);
    const reachable = await relay({
      from: { host: network.node, port: databasePort },
      to: { host: '127.0.0.1', port: database.port },
    });
    ended.push(reachable.stop);

    const before = await prepare(authority);
    await kubectl('create', 'namespace', account);
    const url = `postgres://haic:${password}@${network.node}:${databasePort}/haic?sslmode=verify-full`;
    await kubectl(
      ...['create', 'secret', 'generic', 'haic-secrets', '--namespace', account],
      `--from-literal=master-key=${randomBytes(32).toString('hex')}`,
      `--from-literal=database-url=${url}`,
      ...Object.entries(before.secrets).map(([key, value]) => `--from-literal=${key}=${value}`),
    );
    const values = { ...valuesOf(authority.ca), ...policiesOf(account), ...before.values };
    const install: HaicInCluster['install'] = async (more = {}) => {
      const words = ['upgrade', '--install', 'haic', chart, '--wait', '--timeout', '5m'];
      const given = [...Object.entries(values), ...Object.entries(more)];
      await helm(
        ...words,
        ...given.flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]),
      );
    };
    // Namespaces with what people kept outlive a release.
    const namespaces = ['', '-router', '-core', '-drive', '-apps'].map((part) => `${account}${part}`);
    ended.push(() => kubectl('delete', 'namespace', ...namespaces, '--ignore-not-found', '--wait=false'));
    ended.push(() => helm('uninstall', 'haic', '--ignore-not-found'));
    await install(firstValues);
    const tls = await authority.issue('ingress', [`DNS:${domain}`, `DNS:*.${domain}`]);
    for (const component of ['router', 'drive'])
      await kubectl(
        ...['create', 'secret', 'tls', tlsSecret, '--namespace', `${account}-${component}`],
        ...[`--cert=${tls.certFile}`, `--key=${tls.keyFile}`],
      );
    await define('gateway-api');
    const ingress = await runTraefik(peersOf(account).ingress);
    ended.push(() => removeTraefik(ingress));
    // Names lead to the node's address, as to a balancer of load.
    await balance(ingress, network.node);
    await setHosts(cluster, { [domain]: network.node, [`*.${domain}`]: network.node });
    dialHere(authority.ca);
    // The ingress hears of the objects by and by.
    const leads = () =>
      fetch(`https://${domain}/version`).then(
        (answer) => (answer.ok ? true : undefined),
        () => undefined,
      );
    await until(leads, { everyMs: 250, signal: deadline(60_000) });
    return {
      ...people(account, kubectl),
      account,
      cluster,
      caFile: authority.caFile,
      kubectl,
      helm,
      install,
      stop,
    };
  } catch (error) {
    process.stderr.write(await whatHappened(account, kubectl));
    await stop();
    throw error;
  }
}

const valuesOf = (ca: string): Readonly<Record<string, unknown>> => ({
  domain,
  'image.repository': 'localhost/haic-platform',
  'image.tag': testImage('platform').split(':')[1],
  'image.pullPolicy': 'Never',
  'apps.image': testImage('app-runtime'),
  'apps.pullPolicy': 'Never',
  'trust.ca': ca,
  'ingress.tlsSecretName': tlsSecret,
  'core.extraEnv': [
    { name: 'HAIC_PYPI_INDEX', value: testIndex },
    { name: 'HAIC_CHECK_ANSWERS', value: 'true' },
  ],
});

/** Namespaces of others, which the account's policies name. */
export const peersOf = (account: string) => ({
  ingress: `traefik-${account}`,
  monitoring: `monitoring-${account}`,
});

/** Nothing but what an organisation would have said: the node stands for its database here, and names are answered there. */
function policiesOf(account: string): Readonly<Record<string, unknown>> {
  const node = [{ ipBlock: { cidr: `${network.node}/32` } }];
  const inNamespace = (name: string) => [
    { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } },
  ];
  const { ingress, monitoring } = peersOf(account);
  return {
    'networkPolicies.ingressController': inNamespace(ingress),
    'networkPolicies.monitoring': inNamespace(monitoring),
    ...Object.fromEntries(
      ['dns', 'database', 'apiServer'].map((each) => [`networkPolicies.${each}`, node] as const),
    ),
  };
}

function people(account: string, kubectl: HaicInCluster['kubectl']) {
  const url = `https://${domain}`;
  const inCore = async (...words: string[]) => {
    const [pod] = await podsOf({ account, kubectl }, 'core');
    return kubectl(
      ...['exec', '--namespace', `${account}-core`, pod?.name ?? 'deployment/core', '--'],
      ...['/usr/local/bin/node', '/opt/haic/programs/main.mjs', ...words],
    );
  };
  const addUser: Haic['addUser'] = async (username, { roles = ['user'] } = {}) => {
    const output = await inCore('user', 'add', username, ...roles.flatMap((role) => ['--role', role]));
    return /^Password\t(\S+)/m.exec(output)?.[1] ?? '';
  };
  const accessToken: Haic['accessToken'] = async (username) => {
    const refreshToken = (await inCore('token', '--user', username)).trim();
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'haic-platform',
      refresh_token: refreshToken,
    });
    const answer = await fetch(`${url}/auth/realms/haic/protocol/openid-connect/token`, {
      method: 'POST',
      body,
    });
    return ((await answer.json()) as { access_token: string }).access_token;
  };
  return { url, driveUrl: `https://drive.${domain}`, addUser, accessToken };
}

/** This process resolves no name of the cluster's, and trusts no authority of a test: both for what it asks by `fetch`. */
function dialHere(ca: string): void {
  const lookup: LookupFunction = (_name, options, told) =>
    options.all === true ? told(null, [{ address: network.node, family: 4 }]) : told(null, network.node, 4);
  setGlobalDispatcher(new Agent({ connect: { ca, lookup } }));
}

/** The cluster that the test runs in. */
async function clusterOfTest(): Promise<TestCluster> {
  const name = process.env.HAIC_TEST_CLUSTER ?? '';
  const cluster = await findCluster(process.env.HAIC_CACHE ?? '/var/cache/haic', name);
  if (cluster === undefined) throw new Error('This test runs in a test cluster: ./haic test cluster');
  return cluster;
}

/** For whoever reads why an installation did not come up. */
async function whatHappened(account: string, kubectl: HaicInCluster['kubectl']): Promise<string> {
  const told: string[] = [];
  for (const [namespace, what] of [
    [account, 'job/migrations'],
    ...['router', 'core', 'drive'].map((role) => [`${account}-${role}`, `deployment/${role}`] as const),
  ] as const) {
    const ask = (...words: string[]) =>
      kubectl(...words, '--namespace', namespace).catch((error: unknown) => String(error));
    told.push(`── ${namespace} ──`, await ask('get', 'pods,events'));
    told.push(await ask('logs', what, '--tail', '40', '--all-containers'));
  }
  return `${told.join('\n')}\n`;
}
