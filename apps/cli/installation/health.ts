import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { text as bodyText } from 'node:stream/consumers';
import { messageOf } from '@haic/kit/errors.ts';
import type { Installation } from '@haic/server/installation.ts';
import { drivePort, type ServerSettings } from '@haic/server/settings.ts';
import type { Role } from './processes.ts';

export interface Health {
  readonly healthy: boolean;
  readonly message: string;
}

/** Where the router of an installation listens, and how. */
export interface ListenerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

export const listenerOf = (
  settings: Pick<ServerSettings, 'host' | 'port' | 'tlsCertificate'>,
): ListenerAddress => ({
  host: settings.host,
  port: settings.port,
  tls: settings.tlsCertificate !== undefined,
});

/** An address of this machine at which something that listens there answers. */
const hereOf = (host: string): string => (['localhost', '0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host);

/** Asks a process for its own health, where it listens on this machine. A router is healthy when it knows which apps run. */
export async function roleHealth(role: Role, at: Installation, listener: ListenerAddress): Promise<Health> {
  try {
    const { status, text } = await askHealth(role, at, listener);
    if (status !== 200) return { healthy: false, message: `answers ${status}` };
    if (role === 'router' && (JSON.parse(text) as { routes?: string }).routes === 'unknown')
      return { healthy: false, message: 'core has not told it yet which apps run' };
    return { healthy: true, message: 'healthy' };
  } catch (error) {
    return { healthy: false, message: messageOf(error) };
  }
}

/** Whether anything takes connections at a role's address. */
export function listens(role: Exclude<Role, 'core'>, listener: ListenerAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(addressOf(role, listener));
    const tell = (answer: boolean) => () => {
      probe.destroy();
      resolve(answer);
    };
    probe.once('connect', tell(true)).once('error', tell(false));
  });
}

const addressOf = (role: Exclude<Role, 'core'>, listener: ListenerAddress) => ({
  host: hereOf(listener.host),
  port: role === 'drive' ? drivePort(listener) : listener.port,
});

function askHealth(
  role: Role,
  at: Installation,
  listener: ListenerAddress,
): Promise<{ status: number; text: string }> {
  const tls = role !== 'core' && listener.tls;
  const target = role === 'core' ? { socketPath: at.coreSocket } : addressOf(role, listener);
  return new Promise((resolve, reject) => {
    // It is this machine's own listener that is asked for a status code: its certificate names the public host, not this address.
    const options = {
      ...target,
      path: '/healthz',
      timeout: 3_000,
      headers: { host: 'localhost' },
      rejectUnauthorized: false,
    };
    const request = (tls ? httpsRequest : httpRequest)(options, (response) => {
      bodyText(response).then((body) => resolve({ status: response.statusCode ?? 0, text: body }), reject);
    });
    request.once('timeout', () => request.destroy(new Error('no answer within 3 s')));
    request.once('error', reject);
    request.end();
  });
}
