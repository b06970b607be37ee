import { defaultCache } from '@haic/kit/cache-directory.ts';
import {
  ConfigError,
  type ConfigOf,
  flag,
  integer,
  oneOf,
  optional,
  optionalText,
  readConfig,
  text,
  url,
} from '@haic/kit/config.ts';
import { parseBlobStore } from '@haic/platform/blob/setting.ts';
import { parseUpstreamProviders } from '@haic/services/identity/brokering/provider-settings.ts';
import { clusterSettings } from './cluster-settings.ts';
import { defaultHome, type Installation, installationAt } from './installation.ts';
import { parseRuntimeVersions } from './runtime-versions.ts';

/** Every setting of Haic, read once at start. `./haic doctor --settings` prints this as the reference. */
export const settings = {
  home: text({ env: 'HAIC_HOME', doc: 'Folder of everything that is worth keeping.' }, defaultHome()),
  cache: text({ env: 'HAIC_CACHE', doc: 'Folder of what can be downloaded or built again.' }, defaultCache()),
  environments: optionalText({
    env: 'HAIC_ENVIRONMENTS_DIR',
    doc: 'Folder of Python environments; by default below HAIC_HOME. Not to be shared by two that run at once.',
  }),
  port: integer(
    { env: 'HAIC_PORT', doc: 'Port of the portal; scorers get the next one, then Drive, then gRPC.' },
    8080,
    {
      min: 1,
      max: 65_532,
    },
  ),
  host: text(
    { env: 'HAIC_HOST', doc: 'Address to listen on. Anything but loopback needs TLS.' },
    'localhost',
  ),
  publicUrl: optionalText({
    env: 'HAIC_PUBLIC_URL',
    doc: 'The one address people and apps use; by default http://localhost:<port>.',
  }),
  issuerUrl: optionalText({
    env: 'HAIC_ISSUER',
    doc: "Realm of your organisation's Keycloak, where people sign in instead of at Haic: https://…/realms/haic",
  }),
  upstreamProviders: optional(
    {
      env: 'HAIC_UPSTREAM_ISSUERS',
      doc: 'OpenID providers that people may sign in at beside Haic’s own accounts: JSON, or the path of a JSON or TOML file (docs/own-accounts.md).',
      secret: true,
    },
    parseUpstreamProviders,
  ),
  portalClientSecret: optionalText({
    env: 'HAIC_PORTAL_CLIENT_SECRET',
    doc: 'Secret of the client haic-portal there, if it is not the one that `haic issuer realm` wrote.',
    secret: true,
  }),
  routerClientSecret: optionalText({
    env: 'HAIC_ROUTER_CLIENT_SECRET',
    doc: 'Likewise of haic-service-router.',
    secret: true,
  }),
  coreClientSecret: optionalText({
    env: 'HAIC_CORE_CLIENT_SECRET',
    doc: 'Likewise of haic-service-core.',
    secret: true,
  }),
  driveClientSecret: optionalText({
    env: 'HAIC_DRIVE_CLIENT_SECRET',
    doc: 'Likewise of haic-service-drive.',
    secret: true,
  }),
  operatorClientSecret: optionalText({
    env: 'HAIC_OPERATOR_CLIENT_SECRET',
    doc: 'Likewise of haic-service-operator.',
    secret: true,
  }),
  tlsCertificate: optionalText({
    env: 'HAIC_TLS_CERT',
    doc: 'PEM file of the certificate chain; read again when it changes.',
  }),
  tlsKey: optionalText({ env: 'HAIC_TLS_KEY', doc: 'PEM file of its private key.' }),
  tlsEndsInFront: flag(
    { env: 'HAIC_TLS_ENDS_IN_FRONT', doc: 'A proxy in front of Haic ends TLS: allow a plain listener.' },
    false,
  ),
  databaseUrl: optionalText({
    env: 'HAIC_DATABASE_URL',
    doc: 'A PostgreSQL to use instead of the embedded one.',
    secret: true,
  }),
  secretsKeyFile: optionalText({
    env: 'HAIC_SECRETS_KEY_FILE',
    doc: 'File of keys that wrap what the secure store keeps, instead of Haic’s own: one a line, 64 hexadecimal digits each, the current one first.',
  }),
  secretsKey: optionalText({
    env: 'HAIC_SECRETS_KEY',
    doc: 'The same keys as a text, where a file cannot be given.',
    secret: true,
  }),
  blobStore: optional(
    {
      env: 'HAIC_BLOB_STORE',
      doc: 'Where bundles and objects of Drive are kept, instead of HAIC_HOME: the path of a folder, s3://bucket/prefix?region=…&endpoint=…, azure://account/container/prefix or gs://bucket/prefix. Credentials come from where the store’s own tools take them.',
    },
    parseBlobStore,
  ),
  blobStoreKey: optionalText({
    env: 'HAIC_BLOB_STORE_KEY',
    doc: 'Account key of an azure:// store; without it Haic’s identity there is used.',
    secret: true,
  }),
  isolation: oneOf(
    {
      env: 'HAIC_ISOLATION',
      doc: 'Sandbox for apps: as much as there is (auto), none, or refuse to start without (required).',
    },
    ['auto', 'required', 'none'],
    'auto',
  ),
  pythonIndex: optionalText({
    env: 'HAIC_PYPI_INDEX',
    doc: 'Package index for Python, instead of the public one.',
  }),
  npmRegistry: optionalText({
    env: 'HAIC_NPM_REGISTRY',
    doc: 'Package registry for npm, instead of the public one.',
  }),
  httpProxy: optionalText({ env: 'HAIC_HTTP_PROXY', doc: 'HTTP proxy for everything that downloads.' }),
  caFile: optionalText({
    env: 'HAIC_CA_FILE',
    doc: 'PEM file of an own certificate authority, trusted beside the public ones.',
  }),
  operationsPort: integer(
    {
      env: 'HAIC_OPERATIONS_PORT',
      doc: 'Port at which the router answers /metrics, /livez and /readyz; core has the next one, then Drive. 0: none of it.',
    },
    0,
    { min: 0, max: 65_533 },
  ),
  operationsHost: text(
    {
      env: 'HAIC_OPERATIONS_HOST',
      doc: 'Address to listen on for that; whoever reaches it may read all of it.',
    },
    '127.0.0.1',
  ),
  otlpEndpoint: optionalText({
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    doc: 'Address of an OpenTelemetry collector that gets traces, by OTLP over HTTP. Without one nothing is traced.',
  }),
  tracesPerMille: integer(
    { env: 'HAIC_TRACES_PER_MILLE', doc: 'Of a thousand requests, how many are traced then.' },
    100,
    { min: 0, max: 1000 },
  ),
  slowStatementMs: integer(
    {
      env: 'HAIC_SLOW_STATEMENT_MS',
      doc: 'Milliseconds from which on a statement of the database is logged, with the request that it belongs to. 0: none is.',
    },
    500,
    { min: 0 },
  ),
  logLevel: oneOf(
    { env: 'HAIC_LOG_LEVEL', doc: 'How much the platform logs.' },
    ['error', 'warn', 'info', 'debug'],
    'info',
  ),
  portalDirectory: optionalText({ env: 'HAIC_PORTAL_DIR', doc: 'The built portal; set by `haic up`.' }),
  uvPath: optionalText({ env: 'HAIC_UV', doc: 'The uv program; set by `haic up`.' }),
  instanceLimit: integer(
    { env: 'HAIC_INSTANCE_LIMIT', doc: 'Instances a person with full access may have.' },
    10,
    { min: 0 },
  ),
  visitorInstanceLimit: integer(
    { env: 'HAIC_VISITOR_INSTANCE_LIMIT', doc: 'Instances a visitor may have.' },
    5,
    { min: 0 },
  ),
  apiRequestsPerMinute: integer(
    {
      env: 'HAIC_API_REQUESTS_PER_MINUTE',
      doc: 'Calls of the API and of services, by HTTP or gRPC, that a person may make in a minute, over all their clients; 0 for no limit.',
    },
    6000,
    { min: 0 },
  ),
  checkAnswers: flag(
    {
      env: 'HAIC_CHECK_ANSWERS',
      doc: 'For tests: refuse to send an answer that the description of the API does not describe.',
    },
    false,
  ),
  appDownloads: oneOf(
    {
      env: 'HAIC_APP_DOWNLOADS',
      doc: 'Who may download the bundle of an app that they see: everyone, managers (owner and administrators), nobody.',
    },
    ['everyone', 'managers', 'nobody'],
    'everyone',
  ),
  appVersionLimit: integer(
    { env: 'HAIC_APP_VERSION_LIMIT', doc: 'Versions that a person may have of one app.' },
    10,
    { min: 1 },
  ),
  runtimeVersions: optional(
    {
      env: 'HAIC_RUNTIME_VERSIONS',
      doc: 'The Pythons that apps may name: JSON, or the path of a JSON or TOML file with name, python, aliases, default, deprecated, constraints, cutOff of each. By default the one of the machine.',
    },
    parseRuntimeVersions,
  ),
  requireRuntimeVersion: flag(
    { env: 'HAIC_REQUIRE_RUNTIME_VERSION', doc: 'Refuse bundles that name no RuntimeVersion.' },
    false,
  ),
  preconditionMinutes: integer(
    {
      env: 'HAIC_PRECONDITION_MINUTES',
      doc: 'Minutes between two looks at all apps whether they can still run; 0 for only at the start.',
    },
    60,
    { min: 0, max: 10_080 },
  ),
  suspendAfterHours: integer(
    {
      env: 'HAIC_SUSPEND_AFTER_HOURS',
      doc: 'Hours after which an instance pauses by itself, unless its app says otherwise; 0 for never.',
    },
    8,
    { min: 0, max: 8760 },
  ),
  driveUrl: optionalText({
    env: 'HAIC_DRIVE_URL',
    doc: 'The address of Drive as people and apps reach it; by default that of the portal with the port after next.',
  }),
  driveQuotaGib: integer(
    {
      env: 'HAIC_DRIVE_QUOTA_GIB',
      doc: 'GiB that a person, and likewise a workspace, may keep in Drive; 0 for no limit.',
    },
    0,
    { min: 0, max: 1_048_576 },
  ),
  driveTrashDays: integer(
    {
      env: 'HAIC_DRIVE_TRASH_DAYS',
      doc: 'Days after which the trash of Drive is emptied; 0 to delete at once, without a way back.',
    },
    30,
    { min: 0, max: 3650 },
  ),
  driveUploadDays: integer(
    {
      env: 'HAIC_DRIVE_UPLOAD_DAYS',
      doc: 'Days after its beginning that an upload in parts which nobody completes is given up; 0 for never.',
    },
    7,
    { min: 0, max: 3650 },
  ),
  driveAuditObjects: flag(
    {
      env: 'HAIC_DRIVE_AUDIT_OBJECTS',
      doc: 'Tell the audit trail of each object that is read, written or copied in Drive, too. What is deleted it hears of in any case.',
    },
    false,
  ),
  auditRetentionDays: integer(
    {
      env: 'HAIC_AUDIT_RETENTION_DAYS',
      doc: 'Days that the audit trail keeps what happened; 0 for ever.',
    },
    0,
    { min: 0, max: 36_500 },
  ),
  ...clusterSettings,
};

export type ServerSettings = ConfigOf<typeof settings> & {
  readonly publicUrl: string;
  /** Without a trailing slash. */
  readonly driveUrl: string;
  /** Where people sign in. */
  readonly issuer: string;
  /** Whether that is Haic itself. */
  readonly issuerIsOwn: boolean;
};

/** Reads and completes the settings; the public URL follows from host and port unless it is set. */
export function readSettings(environment: NodeJS.ProcessEnv): ServerSettings {
  const read = readConfig(settings, environment);
  const scheme = read.tlsCertificate === undefined ? 'http' : 'https';
  const publicUrl = publicUrlSetting.parse(
    read.publicUrl ?? `${scheme}://${hostName(read.host)}:${read.port}`,
  );
  const own = `${publicUrl}/auth/realms/haic`;
  const issuer = read.issuerUrl === undefined ? own : checkedIssuer(read.issuerUrl);
  if (issuer !== own && read.upstreamProviders !== undefined)
    throw new ConfigError([
      'HAIC_UPSTREAM_ISSUERS: is for Haic’s own issuer. With HAIC_ISSUER, that issuer brokers other providers.',
    ]);
  const driveUrl = driveUrlSetting.parse(read.driveUrl ?? besides(publicUrl, drivePort(read)));
  return { ...read, publicUrl, driveUrl, issuer, issuerIsOwn: issuer === own };
}

/** The same host by another port. */
function besides(publicUrl: string, port: number): string {
  const url = new URL(publicUrl);
  url.port = String(port);
  return url.origin;
}

/** Passwords and codes travel to it, so it is plain only where nothing leaves the machine. */
function checkedIssuer(text: string): string {
  const issuer = issuerSetting.parse(text);
  const { protocol, hostname } = new URL(issuer);
  if (protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)) return issuer;
  throw new ConfigError([`HAIC_ISSUER: ${issuer} must be https, unless it is on this machine.`]);
}

type Listening = Pick<ServerSettings, 'host' | 'port' | 'tlsCertificate' | 'tlsKey'>;

/** Drive's own listener. */
export const drivePort = ({ port }: Pick<Listening, 'port'>): number => port + 2;

/** The listener on which protobuf services speak gRPC. */
export const grpcPort = ({ port }: Pick<Listening, 'port'>): number => port + 3;

/** Browsers and clients may resolve localhost to either family. */
export const listenedAddresses = ({ host }: Pick<Listening, 'host'>, port: number) =>
  (host === 'localhost' ? ['127.0.0.1', '::1'] : [host]).map((each) => ({ host: each, port }));

export const tlsFiles = ({ tlsCertificate, tlsKey }: Pick<Listening, 'tlsCertificate' | 'tlsKey'>) =>
  tlsCertificate === undefined || tlsKey === undefined
    ? {}
    : { tls: { certificateFile: tlsCertificate, keyFile: tlsKey } };

const publicUrlSetting = url({ env: 'HAIC_PUBLIC_URL', doc: '' });
const driveUrlSetting = url({ env: 'HAIC_DRIVE_URL', doc: '' });
const issuerSetting = url({ env: 'HAIC_ISSUER', doc: '' });

/** Loopback and any-address listeners are all reached as localhost from the machine itself. */
const hostName = (host: string) =>
  ['127.0.0.1', '::1', '0.0.0.0', '::'].includes(host) ? 'localhost' : host;

export const installationOf = (
  read: Pick<ServerSettings, 'home' | 'cache' | 'environments'> &
    Partial<Pick<ServerSettings, 'masterKeyFile' | 'cliFile'>>,
): Installation => installationAt(read.home, read.cache, read);

/** The database of a platform process; `haic up` sets it to the embedded one when no other is configured. */
export function requireDatabaseUrl(read: Pick<ServerSettings, 'databaseUrl'>): string {
  if (read.databaseUrl === undefined)
    throw new ConfigError(['HAIC_DATABASE_URL: is required here; `haic up` sets it.']);
  return read.databaseUrl;
}
