import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'smol-toml';
import { CommandError, exitCodes } from '../terminal.ts';
import { commandName } from './command-name.ts';

/** `~/.h2oai/h2o-cli-config.toml` (or `--conf`, or H2OCONFIG), as the official libraries read it: contracts/app-store.md §8. */
export interface CliConfig {
  readonly Endpoint: string;
  /** Where people sign in; without it discovery is asked, as the official libraries do. */
  readonly OIDCAddress?: string;
  readonly ClientID?: string;
  readonly Token?: string;
  readonly PlatformClientID?: string;
  readonly PlatformToken?: string;
}

export interface ServiceAccount {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * Whom commands act as: a service account of the environment (HAIC_CLIENT_ID, HAIC_CLIENT_SECRET), as pipelines have it, before the person
 * of the configuration. With H2O_CLOUD_ENVIRONMENT a service account needs no configuration at all.
 */
export async function readConfig(
  flag: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<CliConfig & { readonly account?: ServiceAccount }> {
  const clientId = environment.HAIC_CLIENT_ID || undefined;
  const clientSecret = environment.HAIC_CLIENT_SECRET || undefined;
  if (clientId === undefined && clientSecret === undefined) return readCliConfig(configPath(flag));
  if (clientId === undefined || clientSecret === undefined)
    throw new CommandError(
      `${clientId === undefined ? 'HAIC_CLIENT_ID' : 'HAIC_CLIENT_SECRET'} is missing: a service account needs both.`,
      exitCodes.usage,
    );
  const account = { clientId, clientSecret };
  const endpoint = environment.H2O_CLOUD_ENVIRONMENT || undefined;
  if (endpoint !== undefined) return { Endpoint: endpoint.replace(/\/+$/, ''), account };
  const { Endpoint, OIDCAddress } = await readCliConfig(configPath(flag)).catch(() => {
    throw new CommandError(
      'Say where Haic is: H2O_CLOUD_ENVIRONMENT=https://haic.example.com',
      exitCodes.usage,
    );
  });
  return { Endpoint, account, ...(OIDCAddress === undefined ? {} : { OIDCAddress }) };
}

export const configPath = (flag: string | undefined): string =>
  flag ?? (process.env.H2OCONFIG || undefined) ?? path.join(homedir(), '.h2oai', 'h2o-cli-config.toml');

export async function readCliConfig(file: string): Promise<CliConfig> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new CommandError(
      `There is no ${file}. Tell the CLI where Haic is and who you are: ${commandName} config setup`,
      exitCodes.signInNeeded,
    );
  });
  const values = parseToml(text, file);
  const string = (key: string) =>
    typeof values[key] === 'string' && values[key] !== '' ? values[key] : undefined;
  const endpoint = string('Endpoint');
  if (endpoint === undefined)
    throw new CommandError(
      `${file} has no Endpoint. Write it again: ${commandName} config setup`,
      exitCodes.usage,
    );
  const pairs = {
    OIDCAddress: string('OIDCAddress'),
    ClientID: string('ClientID'),
    Token: string('Token'),
    PlatformClientID: string('PlatformClientID'),
    PlatformToken: string('PlatformToken'),
  };
  const present = Object.fromEntries(Object.entries(pairs).filter(([, value]) => value !== undefined));
  return { Endpoint: endpoint, ...present };
}

function parseToml(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    throw new CommandError(
      `${file} is not valid TOML: ${error instanceof Error ? error.message : String(error)}`,
      exitCodes.usage,
    );
  }
}

/** Written 0600 and at once: it holds tokens. */
export async function writeCliConfig(file: string, config: CliConfig): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.tmp`, stringify({ ...config }), { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}
