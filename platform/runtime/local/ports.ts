import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { ContainerPort } from '../port.ts';

export const loopback = '127.0.0.1';

/** Below Linux' range for outgoing connections, which could otherwise take a port between its choice and its use. */
const range = { first: 20_000, last: 32_767 };

export class PortTaken extends Error {
  readonly port: number;
  constructor(port: number) {
    super(
      `Port ${port} is used by another program on this machine. It is tried again; end that program, or choose another port.`,
    );
    this.port = port;
  }
}

/** The ports of this machine that workloads have; given out once, also while nobody listens on them yet. */
export interface Ports {
  /** A free number for each port, the previous one where it still is free. Throws `PortTaken` for a fixed one in use. */
  assign(
    owner: string,
    ports: readonly ContainerPort[],
    previous: Readonly<Record<string, number>>,
  ): Promise<Record<string, number>>;
  /** Takes over what a found-again process has. */
  keep(owner: string, ports: Readonly<Record<string, number>>): void;
  release(owner: string): void;
}

export function createPorts(): Ports {
  const owners = new Map<number, string>();
  const release = (owner: string) => {
    for (const [port, other] of owners) if (other === owner) owners.delete(port);
  };
  const take = async (owner: string, port: number): Promise<boolean> => {
    if (owners.has(port) && owners.get(port) !== owner) return false;
    const before = owners.get(port);
    owners.set(port, owner);
    if (await isFree(port)) return true;
    if (before === undefined) owners.delete(port);
    return false;
  };
  const choose = async (owner: string): Promise<number> => {
    for (let attempt = 0; attempt < 1_000; attempt += 1) {
      const port = randomInt(range.first, range.last + 1);
      if (!owners.has(port) && (await take(owner, port))) return port;
    }
    throw new Error(`No port from ${range.first} to ${range.last} is free.`);
  };
  return {
    async assign(owner, ports, previous) {
      release(owner);
      const assigned: Record<string, number> = {};
      try {
        for (const { name, port } of ports) {
          if (port !== undefined) {
            if (!(await take(owner, port))) throw new PortTaken(port);
            assigned[name] = port;
          } else {
            const before = previous[name];
            assigned[name] =
              before !== undefined && (await take(owner, before)) ? before : await choose(owner);
          }
        }
        return assigned;
      } catch (error) {
        release(owner);
        throw error;
      }
    },
    keep(owner, ports) {
      for (const port of Object.values(ports)) owners.set(port, owner);
    },
    release,
  };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: loopback, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
