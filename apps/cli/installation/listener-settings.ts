import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { messageOf } from '@haic/kit/errors.ts';
import { isLoopback } from '@haic/kit/http/listening.ts';
import type { ServerSettings } from '@haic/server/settings.ts';
import { CommandError, exitCodes } from '../terminal.ts';

type Listener = Pick<ServerSettings, 'host' | 'tlsCertificate' | 'tlsKey' | 'tlsEndsInFront'>;

/** What the router would refuse at its start, or fail over, said before anything is started. */
export async function refuseUnusableListener(settings: Listener): Promise<void> {
  const { host, tlsCertificate, tlsKey } = settings;
  const refuse = (message: string) => new CommandError(message, exitCodes.usage);
  if (tlsCertificate === undefined && tlsKey === undefined) {
    if (isLoopback(host) || settings.tlsEndsInFront) return;
    throw refuse(
      `Haic does not listen on ${host} without TLS: passwords and tokens would be readable on the network. ` +
        'Give --tls-cert and --tls-key, or set HAIC_TLS_ENDS_IN_FRONT=true when a proxy in front ends TLS.',
    );
  }
  if (tlsCertificate === undefined || tlsKey === undefined)
    throw refuse('A certificate and its key belong together: give both --tls-cert and --tls-key.');
  const read = (file: string) =>
    readFile(file).catch((error: unknown) => {
      throw refuse(`${file} cannot be read: ${messageOf(error)}`);
    });
  const cert = await read(tlsCertificate);
  const key = await read(tlsKey);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw refuse(
      `${tlsCertificate} and ${tlsKey} cannot be used as certificate and key: ${messageOf(error)}`,
    );
  }
}
