import type { Names } from '../../names.ts';
import type { AppSecretService } from '../service.ts';

export { callerOf, type SecretsServer } from '../../routes/server.ts';

export interface RouteContext {
  readonly service: AppSecretService;
  /** Looks up who is named in an answer. */
  readonly namesOf: (principals: readonly string[]) => Promise<Names>;
}
