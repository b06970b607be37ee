import { isVariableName } from '@haic/kit/variable-name.ts';
import type { LauncherConfig, OidcSettings } from '@haic/services/app-store/scheduler/launcher-config.ts';

/** Every problem of the file at once; names keys, never values. */
export class LauncherConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(`This instance is not configured correctly:\n${problems.map((p) => `  - ${p}`).join('\n')}`);
    this.name = 'LauncherConfigError';
  }
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isUrl = (value: string): boolean => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);

const moduleName = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;
const instanceIdPattern = /^[A-Za-z0-9][A-Za-z0-9-]*$/;

/** Reads values out of parsed JSON and collects what is wrong with them. */
class Reader {
  readonly problems: string[] = [];

  text(from: Json, key: string, path = key, check: (value: string) => boolean = (value) => value !== '') {
    const value = from[key];
    if (typeof value === 'string' && !value.includes('\0') && check(value)) return value;
    this.problems.push(`${path} is missing or not usable.`);
    return '';
  }

  url(from: Json, key: string, path = key): string {
    return this.text(from, key, path, isUrl).replace(/\/+$/, '');
  }

  optional(from: Json, key: string, path = key): string | undefined {
    const value = from[key];
    return value === undefined || value === null || value === '' ? undefined : this.text(from, key, path);
  }

  oneOf<const T extends string>(from: Json, key: string, values: readonly [T, ...T[]]): T {
    const found = values.find((value) => value === from[key]);
    if (found === undefined) this.problems.push(`${key} must be one of ${values.join(', ')}.`);
    return found ?? values[0];
  }

  pairs(from: Json, key: string, nameKey: string, check: (name: string) => boolean) {
    const list = from[key] ?? [];
    if (!Array.isArray(list)) {
      this.problems.push(`${key} must be a list.`);
      return [];
    }
    return list.map((entry: unknown, index) => {
      const item = isObject(entry) ? entry : {};
      const path = `${key}[${index}]`;
      return {
        name: this.text(item, nameKey, `${path}.${nameKey}`, check),
        value: this.text(item, 'value', `${path}.value`, () => true),
      };
    });
  }
}

/** Parses the file's text. Throws LauncherConfigError. */
export function parseLauncherConfig(text: string): LauncherConfig {
  const root = parseObject(text);
  const read = new Reader();
  const network = isObject(root.network) ? root.network : {};
  const volumeMount = read.optional(root, 'volumeMount');
  const secretFiles = read.optional(root, 'secretFiles');
  const config: LauncherConfig = {
    instanceId: read.text(root, 'instanceId', 'instanceId', (value) => instanceIdPattern.test(value)),
    appId: read.text(root, 'appId'),
    appName: read.text(root, 'appName'),
    appVersion: read.text(root, 'appVersion'),
    ownerUsername: read.text(root, 'ownerUsername'),
    visibility: read.oneOf(root, 'visibility', ['PRIVATE', 'ALL_USERS', 'PUBLIC']),
    publicUrl: read.url(root, 'publicUrl'),
    instanceUrl: read.text(root, 'instanceUrl', 'instanceUrl', isUrl),
    baseUrl: read.text(root, 'baseUrl', 'baseUrl', (value) => value.startsWith('/') && value.endsWith('/')),
    mode: read.oneOf(root, 'mode', ['wave', 'python']),
    module: read.text(root, 'module', 'module', (value) => moduleName.test(value)),
    runtimeVersion: read.optional(root, 'runtimeVersion') ?? '',
    ...(isObject(root.runtime) ? { runtime: readRuntime(root.runtime, read) } : {}),
    env: read.pairs(root, 'env', 'name', isVariableName),
    files: read
      .pairs(root, 'files', 'path', (path) => path !== '')
      .map(({ name, value }) => ({ path: name, value })),
    secrets: root.secrets === true,
    ...(secretFiles === undefined ? {} : { secretFiles }),
    ...(volumeMount === undefined ? {} : { volumeMount }),
    storeUrl: read.url(root, 'storeUrl'),
    hmacKey: read.text(root, 'hmacKey', 'hmacKey', (value) => /^([0-9a-f]{2}){16,}$/i.test(value)),
    oidc: readOidc(root.oidc, read),
    platformHandle: root.platformHandle === true,
    ...(isObject(root.installer)
      ? { installer: { socket: read.text(root.installer, 'socket', 'installer.socket') } }
      : {}),
    network: readNetwork(network, read),
  };
  if (config.platformHandle && config.visibility !== 'PRIVATE')
    read.problems.push('platformHandle is for PRIVATE instances only.');
  if (read.problems.length > 0) throw new LauncherConfigError(read.problems);
  return config;
}

function parseObject(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, and the text holds secrets.
    throw new LauncherConfigError(['the file is not JSON.']);
  }
  if (!isObject(value)) throw new LauncherConfigError(['the file is not a JSON object.']);
  return value;
}

/** All or nothing: with some of its variables missing waved warns and serves everybody, so an incomplete set is refused. */
function readOidc(value: unknown, read: Reader): OidcSettings | null {
  if (value === null || value === undefined || value === false) return null;
  const from = isObject(value) ? value : {};
  return {
    providerUrl: read.url(from, 'providerUrl', 'oidc.providerUrl'),
    clientId: read.text(from, 'clientId', 'oidc.clientId'),
    clientSecret: read.text(from, 'clientSecret', 'oidc.clientSecret'),
    redirectUrl: read.url(from, 'redirectUrl', 'oidc.redirectUrl'),
    endSessionUrl: read.optional(from, 'endSessionUrl', 'oidc.endSessionUrl') ?? '',
    postLogoutRedirectUrl: read.optional(from, 'postLogoutRedirectUrl', 'oidc.postLogoutRedirectUrl') ?? '',
  };
}

function readRuntime(from: Json, read: Reader): NonNullable<LauncherConfig['runtime']> {
  const constraints = read.optional(from, 'constraints', 'runtime.constraints');
  const cutOff = read.optional(from, 'cutOff', 'runtime.cutOff');
  return {
    name: read.text(from, 'name', 'runtime.name'),
    ...(constraints === undefined ? {} : { constraints }),
    ...(cutOff === undefined ? {} : { cutOff }),
  };
}

function readNetwork(from: Json, read: Reader): LauncherConfig['network'] {
  const pypiIndex = read.optional(from, 'pypiIndex', 'network.pypiIndex');
  const httpProxy = read.optional(from, 'httpProxy', 'network.httpProxy');
  const caFile = read.optional(from, 'caFile', 'network.caFile');
  const authorities = read.optional(from, 'authorities', 'network.authorities');
  return {
    ...(pypiIndex === undefined ? {} : { pypiIndex }),
    ...(httpProxy === undefined ? {} : { httpProxy }),
    ...(caFile === undefined ? {} : { caFile }),
    ...(authorities === undefined ? {} : { authorities }),
  };
}
