/** An answer as it was given, to be given again. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Claim =
  /** Nobody has used this key lately: do the work, and `keep` or `release` under this claim. */
  | { readonly kind: 'claimed'; readonly claim: string; readonly makes: string }
  /** A request with this key is being worked on, here or in another process. */
  | { readonly kind: 'running'; readonly retryAfterMs: number }
  /** The work is done; `fingerprint` tells whether this is the same request. */
  | { readonly kind: 'done'; readonly fingerprint: string; readonly answer: KeptAnswer };

/** What has been answered to requests with an `Idempotency-Key`. Keys are opaque here: hashes, which hold nothing of a person. */
export interface IdempotencyStore {
  /**
   * Claims a key. A claim that is not renewed in time is its holder's no longer: who asks next gets the key, with the same `makes`, a UUID for
   * the thing that is being made, so that a half-made one is found instead of made twice.
   */
  claim(key: string): Promise<Claim>;
  /** How often a holder has to renew its claim. */
  readonly renewEveryMs: number;
  renew(key: string, claim: string): Promise<void>;
  /** Keeps the answer for a day. Does nothing when the claim was lost. */
  keep(key: string, claim: string, fingerprint: string, answer: KeptAnswer): Promise<void>;
  /** Nothing was made: the next request with the key starts afresh. */
  release(key: string, claim: string): Promise<void>;
  /** Forgets what is older than a day. */
  sweep(): Promise<void>;
}

export interface IdempotencyTimes {
  readonly keepMs: number;
  readonly leaseMs: number;
}

export const idempotencyTimes: IdempotencyTimes = { keepMs: 24 * 3600 * 1000, leaseMs: 30_000 };
