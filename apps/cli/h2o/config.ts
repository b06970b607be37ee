import process from 'node:process';
import { ask, CommandError, exitCodes, print, readStdin, record, say } from '../terminal.ts';
import { accessToken } from './api.ts';
import { type CliConfig, configPath, readCliConfig, writeCliConfig } from './config-file.ts';

/** Writes the configuration. The token comes from a prompt or, without a terminal, from stdin; never from a flag. */
export async function setupConfig(options: {
  conf: string | undefined;
  endpoint: string | undefined;
}): Promise<void> {
  const endpoint = (options.endpoint ?? (await askFor('Endpoint URL', '--endpoint'))).replace(/\/+$/, '');
  const file = configPath(options.conf);
  const Token = await readToken(`Token (from ${endpoint}/auth/get-token)`);
  const config: CliConfig = {
    Endpoint: endpoint,
    OIDCAddress: `${endpoint}/auth/realms/haic`,
    ClientID: 'haic-cli',
    Token,
  };
  await verify(config);
  await writeCliConfig(file, config);
  say(`Written to ${file}. Try: ./haic app list --all`);
}

export async function updateToken(options: {
  conf: string | undefined;
  kind: 'cli' | 'platform';
}): Promise<void> {
  const file = configPath(options.conf);
  const current = await readCliConfig(file);
  const page = options.kind === 'cli' ? '/auth/get-token' : '/auth/get-platform-token';
  const token = await readToken(`Token (from ${current.Endpoint}${page})`);
  const { Endpoint, OIDCAddress } = current;
  const added: CliConfig =
    options.kind === 'cli'
      ? { Endpoint, OIDCAddress, ClientID: 'haic-cli', Token: token }
      : { Endpoint, OIDCAddress, PlatformClientID: 'haic-platform', PlatformToken: token };
  await verify(added);
  await writeCliConfig(file, { ...current, ...added });
  say(`Written to ${file}.`);
}

export async function printAccessToken(options: { conf: string | undefined }): Promise<void> {
  print(await accessToken(await readCliConfig(configPath(options.conf))));
}

export async function printTokenInfo(options: { conf: string | undefined }): Promise<void> {
  const config = await readCliConfig(configPath(options.conf));
  if (config.PlatformToken === undefined || config.PlatformClientID === undefined) {
    throw new CommandError(
      'No platform token is configured. Add one: ./haic config update-platform-token',
      exitCodes.signInNeeded,
    );
  }
  print(
    record([
      ['Token Endpoint URL', `${config.OIDCAddress}/protocol/openid-connect/token`],
      ['Client ID', config.PlatformClientID],
      ['Refresh Token', config.PlatformToken],
    ]),
  );
}

async function verify(config: CliConfig): Promise<void> {
  await accessToken(config);
}

async function askFor(what: string, flag: string): Promise<string> {
  if (process.stdin.isTTY !== true) throw new CommandError(`${what} is needed: ${flag}`, exitCodes.usage);
  return (await ask(`${what}: `)).trim();
}

async function readToken(prompt: string): Promise<string> {
  const token = (process.stdin.isTTY === true ? await ask(`${prompt}: `) : await readStdin()).trim();
  if (token === '') throw new CommandError('No token was given.', exitCodes.usage);
  return token;
}
