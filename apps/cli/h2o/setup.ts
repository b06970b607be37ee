import process from 'node:process';
import { deadline } from '@haic/kit/deadline.ts';
import { HaicError } from '@haic/kit/errors.ts';
import { callJson, type Fetch } from '@haic/kit/http/client.ts';
import { ask, CommandError, exitCodes, readStdin, say } from '../terminal.ts';
import type { ConnectionFlags } from './api.ts';
import { commandName } from './command-name.ts';
import { type CliConfig, configPath, readCliConfig, writeCliConfig } from './config-file.ts';
import { openConnection, withAddress } from './connection.ts';
import { platformCredential, storeCredential, tokenSource } from './tokens.ts';

type SetupFlags = ConnectionFlags & {
  readonly endpoint?: string;
  readonly oidcUrl?: string;
  readonly clientId?: string;
};

/** Writes the configuration. The token comes from a prompt or, without a terminal, from stdin; never from a flag. */
export async function setupConfig(flags: SetupFlags): Promise<void> {
  const file = configPath(flags.conf);
  const fetch = openConnection(flags.ca);
  const typed = await answerFor('Endpoint URL', { flag: flags.endpoint, name: '--endpoint' });
  const found = await discover(fetch, addressOf(typed));
  if (found.endpoint !== addressOf(typed))
    // The official libraries use the tokens of this file only where Endpoint is what Haic calls itself.
    say(`This Haic calls itself ${found.endpoint}; that is written as its Endpoint.`);
  const OIDCAddress = await answerFor('OIDC URL', {
    flag: flags.oidcUrl,
    name: '--oidc-url',
    otherwise: found.issuer,
  });
  const ClientID = await answerFor('Client ID', {
    flag: flags.clientId,
    name: '--client-id',
    otherwise: found.clients.cli,
  });
  const Token = await readToken(`Token (from ${found.endpoint}/auth/get-token)`);
  const at = { Endpoint: found.endpoint, OIDCAddress };
  const config: CliConfig = { ...at, ClientID, Token };
  const isChosen = flags.clientId !== undefined || ClientID !== found.clients.cli;
  if (isChosen) await tokenSource(fetch, storeCredential(config))();
  else if ((await kindOf(fetch, at, found.clients, Token)) === 'platform') {
    await writeCliConfig(file, { ...at, PlatformClientID: found.clients.platform, PlatformToken: Token });
    say('This is a platform token, which is good for apps and for every other service; it is kept as one.');
    say(`Written to ${file}. Try: ${commandName} app list --all`);
    return;
  }
  await writeCliConfig(file, { ...config, ...(await platformTokenOf(file, config)) });
  say(`Written to ${file}. Try: ${commandName} app list --all`);
}

type Clients = Readonly<Record<'cli' | 'platform', string>>;

const pages = { cli: '/auth/get-token', platform: '/auth/get-platform-token' } as const;
const commands = { cli: 'update-token', platform: 'update-platform-token' } as const;

/**
 * Which client a token is for: nothing in it says so, and only that one can use it. Both kinds are told apart by nobody who has one in their hands (the
 * operator's `token` prints the platform's, the page the command line's). Throws what is wrong with it as the command line's.
 */
async function kindOf(
  fetch: Fetch,
  at: Pick<CliConfig, 'Endpoint' | 'OIDCAddress'>,
  clients: Clients,
  token: string,
): Promise<'cli' | 'platform'> {
  try {
    await tokenSource(fetch, storeCredential({ ...at, ClientID: clients.cli, Token: token }))();
    return 'cli';
  } catch (error) {
    if (!isRefused(error)) throw error;
    const platform = { ...at, PlatformClientID: clients.platform, PlatformToken: token };
    const isPlatform = await tokenSource(fetch, platformCredential(platform))().then(
      () => true,
      () => false,
    );
    if (isPlatform) return 'platform';
    throw error;
  }
}

const isRefused = (error: unknown): boolean =>
  error instanceof CommandError && error.exitCode === exitCodes.signInNeeded;

/** The platform token of an earlier configuration is worth keeping where it is for the same Haic. */
async function platformTokenOf(
  file: string,
  config: CliConfig,
): Promise<Pick<CliConfig, 'PlatformClientID' | 'PlatformToken'>> {
  const earlier = await readCliConfig(file).catch(() => undefined);
  if (earlier?.Endpoint !== config.Endpoint) return {};
  const { PlatformClientID, PlatformToken } = earlier;
  if (PlatformClientID === undefined || PlatformToken === undefined) return {};
  return { PlatformClientID, PlatformToken };
}

export async function updateToken(
  flags: ConnectionFlags & { readonly clientId?: string; readonly kind: 'cli' | 'platform' },
): Promise<void> {
  const file = configPath(flags.conf);
  const current = await readCliConfig(file);
  const isCli = flags.kind === 'cli';
  const fetch = openConnection(flags.ca);
  const configured = isCli ? current.ClientID : current.PlatformClientID;
  const clientId =
    flags.clientId ?? configured ?? (await discover(fetch, addressOf(current.Endpoint))).clients[flags.kind];
  const token = await readToken(`Token (from ${current.Endpoint}${pages[flags.kind]})`);
  const added = isCli
    ? { ClientID: clientId, Token: token }
    : { PlatformClientID: clientId, PlatformToken: token };
  const changed: CliConfig = { ...current, ...added };
  await tokenSource(fetch, isCli ? storeCredential(changed) : platformCredential(changed))().catch(
    async (error: unknown) => {
      throw isRefused(error) ? await sayWhichKind(fetch, current, flags.kind, token, error) : error;
    },
  );
  await writeCliConfig(file, changed);
  const next = isCli ? 'app list --all' : 'platform access-token';
  say(`Written to ${file}. Try: ${commandName} ${next}`);
}

/** A good token of the other kind is not one that is no longer valid. */
async function sayWhichKind(
  fetch: Fetch,
  at: CliConfig,
  asked: 'cli' | 'platform',
  token: string,
  otherwise: unknown,
): Promise<unknown> {
  const kind = await discover(fetch, addressOf(at.Endpoint))
    .then(({ clients }) => kindOf(fetch, at, clients, token))
    .catch(() => asked);
  if (kind === asked) return otherwise;
  const what = kind === 'cli' ? 'a token of the command line' : 'a platform token';
  return new CommandError(
    `This is ${what}. Take it by: ${commandName} config ${commands[kind]}`,
    exitCodes.usage,
  );
}

interface Found {
  readonly endpoint: string;
  readonly issuer: string;
  readonly clients: Clients;
}

/** Asks Haic for its own name, its issuer and its clients (contracts/discovery.md). */
async function discover(fetch: Fetch, endpoint: string): Promise<Found> {
  const ask = <T>(what: string): Promise<T> =>
    callJson(fetch, `${endpoint}/.ai.h2o.cloud.discovery/v1/${what}`, { signal: deadline(15_000) });
  try {
    const [{ environment }, { clients }] = await Promise.all([
      ask<{ environment: { h2oCloudEnvironment: string; issuerUrl: string } }>('environment'),
      ask<{ clients: readonly { name: string; oauth2ClientId: string }[] }>('clients'),
    ]);
    const idOf = (name: string) =>
      clients.find((client) => client.name === `clients/${name}`)?.oauth2ClientId ?? `haic-${name}`;
    return {
      endpoint: addressOf(environment.h2oCloudEnvironment),
      issuer: environment.issuerUrl,
      clients: { cli: idOf('cli'), platform: idOf('platform') },
    };
  } catch (error) {
    if (error instanceof HaicError && error.cause !== undefined) throw withAddress(error, endpoint);
    throw new CommandError(
      `${endpoint} does not say that it is an AI cloud. Give the address that you open in the browser: --endpoint`,
    );
  }
}

function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new CommandError(`${text} is no address. Write it like https://haic.example.com.`, exitCodes.usage);
  return text.replace(/\/+$/, '');
}

async function answerFor(
  what: string,
  from: { readonly flag: string | undefined; readonly name: string; readonly otherwise?: string },
): Promise<string> {
  if (from.flag !== undefined) return from.flag.trim();
  if (process.stdin.isTTY !== true) {
    if (from.otherwise !== undefined) return from.otherwise;
    throw new CommandError(`${what} is needed: ${from.name}`, exitCodes.usage);
  }
  const shown = from.otherwise === undefined ? '' : ` [${from.otherwise}]`;
  return (await ask(`${what}${shown}: `)).trim() || (from.otherwise ?? '');
}

async function readToken(prompt: string): Promise<string> {
  const token = (
    process.stdin.isTTY === true ? await ask(`${prompt}: `, { secret: true }) : await readStdin()
  ).trim();
  if (token === '') throw new CommandError('No token was given.', exitCodes.usage);
  return token;
}
