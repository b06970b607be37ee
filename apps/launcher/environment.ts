import path from 'node:path';
import type { LauncherConfig, OidcSettings } from '@haic/services/app-store/scheduler/launcher-config.ts';
import type { LauncherPaths } from './paths.ts';
import { loopback } from './ports.ts';

/**
 * Environments are built from scratch: what the launcher itself was given (its configuration's place, its keys) reaches neither
 * waved nor the app nor a build.
 */
export type Environment = Record<string, string>;

/** A random pair, one for each start. */
export interface AccessKey {
  readonly id: string;
  readonly secret: string;
}

export interface WaveFacts {
  readonly wavedPort: number;
  /** Address that visitors reach it at, by the router. */
  readonly listen: string;
  readonly webDirectory: string;
  /** waved and the app share it: the app's calls to waved. */
  readonly access: AccessKey;
}

/** Variables by which a site tells every tool about its proxy, CA and package index; passed on when the sandbox has them. */
const siteVariables = [
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'PIP_CERT',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'PIP_INDEX_URL',
  'PIP_EXTRA_INDEX_URL',
  'UV_DEFAULT_INDEX',
  'UV_INDEX_URL',
  'TZ',
  'LANG',
  'LC_ALL',
];

/** How this installation reaches the outside world. The instance's configuration wins over what the sandbox inherited. */
export function siteEnvironment(config: LauncherConfig, inherited: NodeJS.ProcessEnv): Environment {
  const site: Environment = { LANG: 'C.UTF-8' };
  for (const name of siteVariables) {
    const value = inherited[name];
    if (value !== undefined && value !== '') site[name] = value;
  }
  const { pypiIndex, httpProxy, caFile } = config.network;
  if (pypiIndex !== undefined) {
    for (const name of ['PIP_INDEX_URL', 'UV_DEFAULT_INDEX', 'UV_INDEX_URL']) site[name] = pypiIndex;
  }
  if (httpProxy !== undefined) {
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']) site[name] = httpProxy;
    const direct = ['localhost', '127.0.0.1', '::1', '.localhost', ...platformHosts(config)];
    const known = (site.NO_PROXY ?? site.no_proxy ?? '').split(',').filter((host) => host !== '');
    site.NO_PROXY = [...new Set([...known, ...direct])].join(',');
    site.no_proxy = site.NO_PROXY;
  }
  if (caFile !== undefined) {
    for (const name of ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'PIP_CERT'])
      site[name] = caFile;
  }
  return site;
}

const platformHosts = ({ publicUrl, storeUrl, oidc }: LauncherConfig): string[] =>
  [publicUrl, storeUrl, ...(oidc === null ? [] : [oidc.providerUrl])].map((url) => new URL(url).hostname);

/** What every process of the instance needs to find its way; the user has no entry in /etc/passwd. */
function personal(paths: LauncherPaths): Environment {
  return { HOME: paths.home, USER: 'app', LOGNAME: 'app', TMPDIR: paths.temporary };
}

const systemPath = '/usr/local/bin:/usr/bin:/bin';

export function toolEnvironment(paths: LauncherPaths, site: Environment): Environment {
  return { ...site, ...personal(paths), PATH: systemPath };
}

export function wavedEnvironment(
  config: LauncherConfig,
  paths: LauncherPaths,
  site: Environment,
  wave: WaveFacts,
): Environment {
  // The store lets an app set only the H2O_WAVE_ variables that are meant for it (PUBLIC_DIR, MAX_REQUEST_SIZE, …).
  const chosen = config.env.filter(({ name }) => /^H2O_WAVE_(?!OIDC_|ACCESS_|APP_)/.test(name));
  return {
    ...site,
    ...personal(paths),
    PATH: systemPath,
    H2O_WAVE_DATA_DIR: path.join(paths.waved, 'data'),
    H2O_WAVE_NO_LOG: '1',
    H2O_WAVE_KEEP_APP_LIVE: '1',
    ...Object.fromEntries(chosen.map(({ name, value }) => [name, value])),
    H2O_WAVE_LISTEN: `${wave.listen}:${wave.wavedPort}`,
    H2O_WAVE_BASE_URL: config.baseUrl,
    H2O_WAVE_WEB_DIR: wave.webDirectory,
    H2O_WAVE_ACCESS_KEY_ID: wave.access.id,
    H2O_WAVE_ACCESS_KEY_SECRET: wave.access.secret,
    // waved reads a `.env` file of its working directory unless it is told of another one.
    H2O_WAVE_CONF: '/dev/null',
    ...(config.oidc === null ? {} : wavedOidc(config.oidc)),
  };
}

function wavedOidc(oidc: OidcSettings): Environment {
  return {
    H2O_WAVE_OIDC_PROVIDER_URL: oidc.providerUrl,
    H2O_WAVE_OIDC_CLIENT_ID: oidc.clientId,
    H2O_WAVE_OIDC_CLIENT_SECRET: oidc.clientSecret,
    H2O_WAVE_OIDC_REDIRECT_URL: oidc.redirectUrl,
    H2O_WAVE_OIDC_SCOPES: 'openid,profile',
    H2O_WAVE_OIDC_SKIP_LOGIN: 'true',
    ...(oidc.endSessionUrl === '' ? {} : { H2O_WAVE_OIDC_END_SESSION_URL: oidc.endSessionUrl }),
    ...(oidc.postLogoutRedirectUrl === ''
      ? {}
      : { H2O_WAVE_OIDC_POST_LOGOUT_REDIRECT_URL: oidc.postLogoutRedirectUrl }),
  };
}

export interface AppFacts {
  readonly port: number;
  readonly appAccess: AccessKey;
  /** Undefined in `python` mode. */
  readonly wave: WaveFacts | undefined;
  readonly token: { readonly url: string; readonly handle: string } | undefined;
  /** From packages.txt. */
  readonly executables: readonly string[];
  readonly libraries: readonly string[];
}

/** Order matters: the site's, then the app's own `[[Env]]`, then what the platform says and no app may change. */
export function appEnvironment(
  config: LauncherConfig,
  paths: LauncherPaths,
  site: Environment,
  facts: AppFacts,
): Environment {
  const own = Object.fromEntries(config.env.map(({ name, value }) => [name, value]));
  return {
    ...site,
    ...personal(paths),
    PATH: [path.join(paths.venv, 'bin'), ...facts.executables, systemPath].join(':'),
    ...(facts.libraries.length === 0 ? {} : { LD_LIBRARY_PATH: facts.libraries.join(':') }),
    VIRTUAL_ENV: paths.venv,
    PYTHONUNBUFFERED: '1',
    ...own,
    ...platformEnvironment(config, facts.token),
    ...(config.oidc === null ? {} : appOidc(config.oidc)),
    ...(facts.wave === undefined
      ? { PORT: String(facts.port), H2O_WAVE_BASE_URL: config.baseUrl }
      : waveAppEnvironment(config, paths, facts.wave, facts)),
  };
}

function platformEnvironment(config: LauncherConfig, token: AppFacts['token']): Environment {
  return {
    H2O_CLOUD_ENVIRONMENT: config.publicUrl,
    H2O_CLOUD_INSTANCE_ID: config.instanceId,
    H2O_CLOUD_APP_ID: config.appId,
    H2O_CLOUD_APP_NAME: config.appName,
    H2O_CLOUD_APP_VERSION: config.appVersion,
    H2O_CLOUD_INSTANCE_OWNER: config.ownerUsername,
    ...(token === undefined
      ? {}
      : { H2O_CLOUD_TOKEN_ENDPOINT_URL: token.url, H2O_CLOUD_CLIENT_PLATFORM_TOKEN: token.handle }),
  };
}

/** Real apps build a token provider from these and from `q.auth.refresh_token` (contract wave-app §4). */
function appOidc(oidc: OidcSettings): Environment {
  return {
    H2O_WAVE_OIDC_PROVIDER_URL: oidc.providerUrl,
    H2O_WAVE_OIDC_CLIENT_ID: oidc.clientId,
    H2O_WAVE_OIDC_CLIENT_SECRET: oidc.clientSecret,
  };
}

function waveAppEnvironment(
  config: LauncherConfig,
  paths: LauncherPaths,
  wave: WaveFacts,
  app: Pick<AppFacts, 'port' | 'appAccess'>,
): Environment {
  const dataDirectory = config.env.findLast(({ name }) => name === 'H2O_WAVE_DATA_DIR')?.value;
  return {
    H2O_WAVE_ADDRESS: `http://${loopback}:${wave.wavedPort}`,
    H2O_WAVE_APP_ADDRESS: `http://${loopback}:${app.port}`,
    H2O_WAVE_BASE_URL: config.baseUrl,
    H2O_WAVE_ACCESS_KEY_ID: wave.access.id,
    H2O_WAVE_ACCESS_KEY_SECRET: wave.access.secret,
    H2O_WAVE_APP_ACCESS_KEY_ID: app.appAccess.id,
    H2O_WAVE_APP_ACCESS_KEY_SECRET: app.appAccess.secret,
    H2O_WAVE_DATA_DIR: dataDirectory ?? path.join(paths.waved, 'data'),
    H2O_WAVE_CONNECTION_TIMEOUT: '60',
  };
}
