import type { AppGrantsClient } from '@haic/services/identity/client.ts';

/** For so long an issuer that would not grant is not asked again when the same person opens the same instance. */
const pauseMs = 10 * 60_000;
const mostRemembered = 10_000;

export interface AppGrants extends AppGrantsClient {
  /** Whether this person's instance was tried, or granted, lately. */
  settled(instanceId: string, subject: string): boolean;
  settle(instanceId: string, subject: string): void;
}

export function createAppGrants(client: AppGrantsClient): AppGrants {
  const settledAt = new Map<string, number>();
  const keyOf = (instanceId: string, subject: string) => `${instanceId} ${subject}`;
  return {
    grantNeeded: client.grantNeeded,
    keepGrant: client.keepGrant,
    settled: (instanceId, subject) => {
      const at = settledAt.get(keyOf(instanceId, subject));
      return at !== undefined && Date.now() - at < pauseMs;
    },
    settle: (instanceId, subject) => {
      if (settledAt.size >= mostRemembered) settledAt.clear();
      settledAt.set(keyOf(instanceId, subject), Date.now());
    },
  };
}
