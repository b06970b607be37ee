import { output, print, record } from '../terminal.ts';
import type { ConnectionFlags } from './api.ts';
import { configPath, readCliConfig, readConfig } from './config-file.ts';
import { openConnection } from './connection.ts';
import { accountCredential, platformCredential, tokenSource } from './tokens.ts';

type Flags = ConnectionFlags & { readonly json: boolean };

const credentialOf = async (flags: Flags) => platformCredential(await readCliConfig(configPath(flags.conf)));

export async function printAccessToken(flags: Flags): Promise<void> {
  const config = await readConfig(flags.conf);
  const { account } = config;
  const credential = account === undefined ? platformCredential(config) : accountCredential(config, account);
  const accessToken = await tokenSource(openConnection(flags.ca), credential)();
  output(flags.json, { accessToken }, () => accessToken);
}

export async function printRefreshToken(flags: Flags): Promise<void> {
  const { refreshToken } = await credentialOf(flags);
  output(flags.json, { refreshToken }, () => refreshToken);
}

export async function printTokenInfo(flags: Flags): Promise<void> {
  const { clientId, refreshToken, ...credential } = await credentialOf(flags);
  const tokenEndpoint = await credential.tokenEndpoint(openConnection(flags.ca));
  if (flags.json) print(JSON.stringify({ tokenEndpoint, clientId, refreshToken }, undefined, 2));
  else
    print(
      record([
        ['Token Endpoint URL', tokenEndpoint],
        ['Client ID', clientId],
        ['Refresh Token', refreshToken],
      ]),
    );
}
