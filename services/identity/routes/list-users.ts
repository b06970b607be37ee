import type { HttpServer } from '@haic/kit/http/server.ts';
import type { PeopleService } from '../people.ts';
import { presentPerson } from '../present.ts';
import { usersPath } from './operator.ts';

export function registerListUsers(scope: HttpServer, service: PeopleService): void {
  scope.get(usersPath, async () => ({ items: (await service.list()).map(presentPerson) }));
}
