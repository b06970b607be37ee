import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Rotation } from '../sealing/rotation.ts';

const url = '/internal/secure-store/keys';

/** `./haic secure-store …`: which keys wrap the data keys, and a new one for them. */
export function registerKeyRoutes(server: HttpServer, rotation: Rotation): void {
  const config = { deed: 'operate' } as const;
  server.get(url, { config }, () => rotation.status());
  const audit = { action: 'actions/securestore/keys/ROTATE', resource: '//secure-store/keys' };
  server.post(url, { config: { ...config, audit } }, () => rotation.begin());
}
