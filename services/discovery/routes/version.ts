import type { HttpServer } from '@haic/kit/http/server.ts';
import { VersionSchema } from './schemas.ts';

const schema = {
  operationId: 'getVersion',
  summary: 'Of this Haic.',
  tags: ['About'],
  response: { 200: VersionSchema },
};

/**
 * The login probe of several client libraries: they join `version` onto a service's address, which lands here for services that are
 * published as `<host>/<service>` without a trailing slash. Any 2xx will do (contracts/discovery.md §7).
 */
export function registerVersion(scope: HttpServer, version: string): void {
  scope.get('/version', { config: { public: 'version probe of client libraries' }, schema }, async () => ({
    version,
  }));
}
