import { LRUCache } from 'lru-cache';
import type { KoaContextWithOIDC } from 'oidc-provider';

export interface SlowDownPolicy {
  /** Failures from one address in a minute before each further one is answered slowly … */
  readonly slowAfter: number;
  readonly slowMs: number;
  /** … and before it is answered with 429. */
  readonly refuseAfter: number;
}

export const defaultSlowDownPolicy: SlowDownPolicy = { slowAfter: 60, slowMs: 1_000, refuseAfter: 300 };

const limitedPaths = /\/(token|token\/introspect|revoke|auth\/device)$/;

/**
 * Failures at the token endpoint. Secrets and tokens have 256 random bits, so guessing is hopeless and only its noise has to be kept
 * down; a limit that refused the next request, whoever's it is, would let one broken app keep its neighbours at the same
 * address from their tokens. So only requests that failed are slowed down and refused: who presents what is valid never waits.
 */
export function createSlowDown(policy: SlowDownPolicy = defaultSlowDownPolicy) {
  const failures = new LRUCache<string, { count: number }>({ max: 10_000, ttl: 60_000 });
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    if (ctx.method !== 'POST' || !limitedPaths.test(ctx.path) || ctx.status < 400 || ctx.status >= 500)
      return;
    const entry = failures.get(ctx.ip) ?? { count: 0 };
    entry.count += 1;
    if (entry.count === 1) failures.set(ctx.ip, entry);
    if (entry.count <= policy.slowAfter) return;
    await new Promise((resolve) => setTimeout(resolve, policy.slowMs));
    if (entry.count <= policy.refuseAfter) return;
    ctx.status = 429;
    ctx.set('retry-after', '60');
    ctx.body = {
      error: 'slow_down',
      error_description: 'Too many failed requests from this address. Wait a minute.',
    };
  };
}
