import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { loopback } from './ports.ts';

export interface Relay {
  close(): void;
}

/**
 * An app that listens on the loopback alone is not to be reached from outside of its pod: connections to the pod's own address are passed on to
 * it. Nothing happens where the app listens on all addresses itself.
 */
export async function relayToLoopback(port: number): Promise<readonly Relay[]> {
  const relays = await Promise.all(ownAddresses().map((address) => relayAt(address, port)));
  return relays.filter((relay) => relay !== undefined);
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.flatMap(({ address, internal, scopeid }) => (internal || scopeid ? [] : [address])),
  );

async function relayAt(address: string, port: number): Promise<Relay | undefined> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (outside) => {
    const inside = connect({ host: loopback, port, allowHalfOpen: true, noDelay: true });
    for (const [from, to] of [
      [outside, inside],
      [inside, outside],
    ] as const)
      from.on('error', () => to.destroy());
    outside.pipe(inside).pipe(outside);
  });
  server.listen({ host: address, port });
  try {
    await once(server, 'listening');
  } catch {
    // It is taken: by the app itself.
    return undefined;
  }
  return { close: () => void server.close() };
}
