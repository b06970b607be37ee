import type { HttpServer } from '@haic/kit/http/server.ts';
import type { PeopleService } from '../service.ts';
import { registerAddUser } from './add-user.ts';
import { registerChangeUser } from './change-user.ts';
import { registerListUsers } from './list-users.ts';
import { registerPlatformToken } from './platform-token.ts';
import { registerRemoveUser } from './remove-user.ts';
import { registerResetPassword } from './reset-password.ts';

/** `./haic user` and `./haic token`. */
export function registerOperatorRoutes(scope: HttpServer, service: PeopleService): void {
  registerListUsers(scope, service);
  registerAddUser(scope, service);
  registerChangeUser(scope, service);
  registerRemoveUser(scope, service);
  registerResetPassword(scope, service);
  registerPlatformToken(scope, service);
}
