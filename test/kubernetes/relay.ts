import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Relay {
  stop(): Promise<void>;
}

/** Passes connections to an address on to another one: to a database of the organisation. */
export async function relay(options: {
  readonly from: { readonly host: string; readonly port: number };
  readonly to: { readonly host: string; readonly port: number };
}): Promise<Relay> {
  const { from, to } = options;
  const open = new Set<Socket>();
  const pass = (outside: Socket) => {
    const inside = connect({ ...to, allowHalfOpen: true });
    for (const [socket, other] of [
      [outside, inside],
      [inside, outside],
    ] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy()).on('close', () => open.delete(socket));
    }
    outside.pipe(inside).pipe(outside);
  };
  const server = createServer({ allowHalfOpen: true }, pass);
  server.listen(from.port, from.host);
  await once(server, 'listening');
  return {
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
