import type { Server } from 'node:http';
import { type ChannelKey, type ChannelListener, listenOnChannel } from '@haic/kit/channel/channel.ts';
import { deriveKey } from '@haic/kit/keys.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Target } from '@haic/kit/proxy/client/pool.ts';
import type { Installation } from './installation.ts';
import type { ServerSettings } from './settings.ts';

/** Roles of Haic's that core hears. */
const callers = ['router', 'drive'] as const;
type Caller = (typeof callers)[number];
/** Who calls, and whom. */
type Way = `${Caller}-core` | 'core-drive';

/**
 * What the router tells core of who asks (address, host) is believed, so nobody else may speak to core. On one machine the socket's mode says so;
 * over a network both prove that they have the same master key. The same holds for who is given Drive's objects without being asked who they are.
 */
const keyOf = (way: Way, masterKey: Buffer): ChannelKey => ({
  identity: way.slice(0, way.indexOf('-')),
  key: deriveKey(masterKey, `channel:${way}`),
});

/** How a role reaches core. */
export function coreTargetOf(
  caller: Caller,
  { coreAddress }: Pick<ServerSettings, 'coreAddress'>,
  at: Installation,
  masterKey: Buffer,
): Target {
  if (coreAddress === undefined) return { socketPath: at.coreSocket };
  return { ...coreAddress, channel: keyOf(`${caller}-core`, masterKey) };
}

/** How core reaches the objects that only Drive has; undefined where both have the same store. */
export const objectsTargetOf = (
  { objectsAddress }: Pick<ServerSettings, 'objectsAddress'>,
  masterKey: Buffer,
): Target | undefined => objectsAddress && { ...objectsAddress, channel: keyOf('core-drive', masterKey) };

/** Core's side of it, where the settings ask for one. */
export const listenForRoles = (
  server: Server,
  { corePort, host }: Pick<ServerSettings, 'corePort' | 'host'>,
  masterKey: Buffer,
  logger: Logger,
): Promise<ChannelListener | undefined> =>
  listenFor(
    callers.map((caller) => `${caller}-core` as const),
    { server, port: corePort, host, masterKey, logger },
  );

/** Drive's side of it, where the settings ask for one. */
export const listenForCore = (
  server: Server,
  { objectsPort, host }: Pick<ServerSettings, 'objectsPort' | 'host'>,
  masterKey: Buffer,
  logger: Logger,
): Promise<ChannelListener | undefined> =>
  listenFor(['core-drive'], { server, port: objectsPort, host, masterKey, logger });

async function listenFor(
  ways: readonly Way[],
  {
    port,
    host,
    masterKey,
    ...more
  }: {
    readonly server: Server;
    readonly port: number | undefined;
    readonly host: string;
    readonly masterKey: Buffer;
    readonly logger: Logger;
  },
): Promise<ChannelListener | undefined> {
  if (port === undefined) return undefined;
  return listenOnChannel({
    ...more,
    host: host === 'localhost' ? '127.0.0.1' : host,
    port,
    keys: ways.map((way) => keyOf(way, masterKey)),
  });
}
