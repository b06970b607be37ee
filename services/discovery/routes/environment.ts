import type { HttpServer } from '@haic/kit/http/server.ts';
import type { Environment } from '../model.ts';
import { presentEnvironment } from '../present.ts';
import { discoveryConfig, discoveryPath } from './lists.ts';
import { EnvironmentSchema, tags } from './schemas.ts';

const schema = {
  operationId: 'getEnvironment',
  summary: 'Where this Haic is, and who signs people in.',
  tags,
  response: { 200: EnvironmentSchema },
};

export function registerEnvironment(scope: HttpServer, environment: Environment): void {
  scope.get(`${discoveryPath}/environment`, { config: discoveryConfig, schema }, async () =>
    presentEnvironment(environment),
  );
}
