import { conflict, forbidden, invalid, unavailable } from '@haic/kit/errors.ts';
import { ApiError } from './api.ts';
import { explainRefusal } from './waiting.ts';

/** What the API server refuses, as whoever asked for it understands it. */
export function explained(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  const { status, message } = error;
  const options = { cause: error };
  const refusal = explainRefusal(message);
  if (refusal?.reason === 'QuotaExceeded') return forbidden('quota_exceeded', refusal.message, options);
  // By RBAC: Haic's own role lacks something, and whoever asked cannot help it.
  if (status === 401 || (status === 403 && /cannot \w+ resource/.test(message)))
    return unavailable(
      'runtime_forbidden',
      `Haic may not do this in the cluster; whoever runs Haic has to give its role more. ${message}`,
      options,
    );
  if (status === 403) return invalid('invalid_workload', refusal?.message ?? message, options);
  if (status === 404 && /^namespaces /.test(message))
    return unavailable(
      'runtime_unavailable',
      `Whoever runs Haic has to make its namespace first: ${message}.`,
      options,
    );
  if (status === 409)
    return conflict(
      'workload_conflict',
      `It is being changed by others all the time. Try again. (${message})`,
      options,
    );
  if (status === 400 || status === 422)
    return invalid('invalid_workload', `The cluster does not take it: ${message}`, options);
  return unavailable(
    'runtime_unavailable',
    `The Kubernetes API server answered ${status}: ${message}`,
    options,
  );
}
