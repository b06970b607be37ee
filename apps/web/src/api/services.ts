import { type CallOptions, call } from './http.ts';

/** The services whose own addresses are for programs: pages reach them by the portal's door, where the session's cookie counts. */
export type Service = 'authz' | 'secure-store' | 'audit-trail' | 'mlops';

/** `callService('secure-store', '/v1/workspaces/default/secrets')`. Resource names need no encoding of their slashes. */
export const callService = <Answer>(service: Service, path: string, options?: CallOptions): Promise<Answer> =>
  call<Answer>(`/api/services/${service}${path}`, options);
