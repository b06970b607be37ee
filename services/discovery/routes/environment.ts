import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Environment } from '../model.ts';
import { presentEnvironment } from '../present.ts';
import { discoveryConfig, discoveryPath } from './lists.ts';

export function registerEnvironment(scope: HttpServer, environment: Environment): void {
  scope.get(`${discoveryPath}/environment`, { config: discoveryConfig }, async () =>
    presentEnvironment(environment),
  );
}
