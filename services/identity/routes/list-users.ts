import type { HttpServer } from '@haic/kit/http/server.ts';
import { presentPerson } from '../present.ts';
import type { PeopleService } from '../service.ts';
import { usersPath } from './users-path.ts';

export function registerListUsers(scope: HttpServer, service: PeopleService): void {
  scope.get(usersPath, { config: { deed: 'operate' } }, async () => ({
    items: (await service.list()).map(presentPerson),
  }));
}
