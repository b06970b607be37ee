import type { HttpServer } from '@haic/kit/http/server.ts';
import type { RegisteredClients } from './registered-clients.ts';

/** What `./haic status` asks: clients that an administrator of the issuer has to remove. */
export function registerLeftBehind(server: HttpServer, clients: Pick<RegisteredClients, 'leftBehind'>): void {
  server.get('/internal/identity/clients-left-behind', { config: { deed: 'operate' } }, async () => ({
    items: await clients.leftBehind(),
  }));
}
