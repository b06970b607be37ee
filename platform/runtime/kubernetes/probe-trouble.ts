import { timeOf } from './facts.ts';
import type { KubeEvent } from './objects.ts';

export type ProbeKind = 'Readiness' | 'Liveness' | 'Startup';

/** What the latest failure of the probe was, in plain words, if there was one since the given time. */
export function readProbeTrouble(
  events: readonly KubeEvent[],
  kind: ProbeKind,
  since: string | undefined,
): string | undefined {
  const failed = events.find(
    ({ reason, message = '' }) =>
      (reason === 'Unhealthy' || reason === 'ProbeError') && message.startsWith(`${kind} probe`),
  );
  if (failed === undefined || (since !== undefined && timeOf(failed) < since)) return undefined;
  return `The ${kind.toLowerCase()} probe ${saw(failed.message ?? '')}`;
}

/** Go's words for what happened, and what people call it. */
const known: readonly (readonly [RegExp, string])[] = [
  [/connection refused/, 'was refused: nothing listens on port PORT (ECONNREFUSED).'],
  [/statuscode: (\d+)/, 'was answered with status $1.'],
  [
    /(context deadline exceeded|Client\.Timeout|i\/o timeout)/,
    'got no answer in time from port PORT (ETIMEDOUT).',
  ],
  [/no route to host/, 'did not reach the pod (EHOSTUNREACH).'],
  [/connection reset/, 'was cut off by what listens on port PORT (ECONNRESET).'],
];

function saw(message: string): string {
  const port = /:(\d{2,5})\b(?!.*:\d{2,5}\b)/.exec(message)?.[1] ?? /:(\d{2,5})\b/.exec(message)?.[1] ?? '';
  for (const [pattern, words] of known) {
    const match = pattern.exec(message);
    if (match !== null) return words.replace('$1', match[1] ?? '').replace('PORT', port);
  }
  return `failed: ${message.replace(/^\w+ probe (failed|errored): /, '')}`;
}
