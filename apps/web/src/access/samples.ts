import type { Me } from '../api/types.ts';

type Environment = Me['environment'];

/** The h2o command line as this Haic offers it. */
export interface CommandLineFile {
  readonly version: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

export type System = 'Linux' | 'macOS' | 'Windows';
export const systems: readonly System[] = ['Linux', 'macOS', 'Windows'];

/** The system that the browser runs on, as far as it says. */
export const guessSystem = (userAgent: string): System =>
  /Windows/i.test(userAgent) ? 'Windows' : /Mac OS|Macintosh/i.test(userAgent) ? 'macOS' : 'Linux';

const program = (system: System): string => (system === 'Windows' ? '.\\h2o' : './h2o');

/** Downloads the file, compares it with its checksum, and makes it a command. */
export function installLines(
  system: System,
  { publicUrl }: Environment,
  { sha256 }: CommandLineFile,
): string {
  const address = `${publicUrl}/cli/h2o`;
  if (system === 'Windows')
    return `Invoke-WebRequest ${address} -OutFile h2o.js
(Get-FileHash h2o.js).Hash -eq "${sha256}"
Set-Content h2o.cmd '@node "%~dp0h2o.js" %*'`;
  return `curl -fsSL ${address} -o h2o
echo "${sha256}  h2o" | ${system === 'macOS' ? 'shasum -a 256' : 'sha256sum'} -c
chmod +x h2o`;
}

export const firstLines = (system: System, { publicUrl }: Environment): string =>
  `${program(system)} config setup --endpoint ${publicUrl}
${program(system)} app list --all`;

/** JSON strings are valid TOML basic strings and, for such values, valid Python strings. */
const quoted = (value: string): string => JSON.stringify(value);

export const cliConfig = (environment: Environment): string =>
  [
    `Endpoint = ${quoted(environment.publicUrl)}`,
    `OIDCAddress = ${quoted(environment.issuerUrl)}`,
    `ClientID = ${quoted(environment.cliClientId)}`,
    'Token = "<your CLI token>"',
    `PlatformClientID = ${quoted(environment.platformClientId)}`,
    'PlatformToken = "<your platform token>"',
  ].join('\n');

export const pythonInstall = 'pip install h2o-cloud-discovery "h2o-authn[discovery]" httpx';

export const pythonSample = (environment: Environment): string =>
  `import h2o_authn.discovery
import h2o_discovery
import httpx

discovery = h2o_discovery.discover(environment=${quoted(environment.publicUrl)})
token_provider = h2o_authn.discovery.create(discovery)

apps = httpx.get(
    f"{discovery.environment.h2o_cloud_environment}/api/v1/apps",
    headers={"Authorization": f"Bearer {token_provider()}"},  # of a few minutes, renewed when needed
)
print([app["title"] for app in apps.json()["items"]])`;

/** The refresh token goes by stdin: what is on a command line, others of the machine can read. */
export const curlSample = (environment: Environment): string =>
  `ACCESS_TOKEN=$(printf %s "$H2O_CLOUD_CLIENT_PLATFORM_TOKEN" |
  curl -fsS ${environment.tokenEndpoint} \\
    -d grant_type=refresh_token -d client_id=${environment.platformClientId} --data-urlencode refresh_token@- |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')

curl -fsS -H "Authorization: Bearer $ACCESS_TOKEN" ${environment.publicUrl}/api/v1/apps`;
