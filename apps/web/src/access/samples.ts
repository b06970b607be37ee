import type { Me } from '../api/types.ts';

/** JSON strings are valid TOML basic strings and, for such values, valid Python strings. */
const quoted = (value: string): string => JSON.stringify(value);

export const cliConfig = (environment: Me['environment']): string =>
  [
    `Endpoint = ${quoted(environment.publicUrl)}`,
    `OIDCAddress = ${quoted(environment.issuerUrl)}`,
    `ClientID = ${quoted(environment.cliClientId)}`,
    'Token = "<your CLI token>"',
    `PlatformClientID = ${quoted(environment.platformClientId)}`,
    'PlatformToken = "<your platform token>"',
  ].join('\n');

export const pythonSample = (environment: Me['environment']): string =>
  `import h2o_authn.discovery
import h2o_discovery

discovery = h2o_discovery.discover(environment=${quoted(environment.publicUrl)})
token_provider = h2o_authn.discovery.create(discovery)
print(token_provider())  # an access token of a few minutes, renewed when needed`;
