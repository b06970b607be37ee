/**
 * What other services ask of secrets. Nobody's role is asked here: who uses a secret is the asker's to decide, with `accessOf` of workspaces
 * where the secret is in one. In memory inside core, over HTTP elsewhere.
 */
export interface SecretsClient {
  /** Undefined when there is none, or a deleted one, or it has held nothing yet. */
  find(place: SecretPlace): Promise<KeptSecret | undefined>;
  /** By id, then by parent. */
  list(asked: KeptList): Promise<readonly KeptSecret[]>;
  /**
   * Makes the secret; a deleted one of that name is brought back, with these values. `uid` is a new one's, and of an earlier try the answer is
   * what that made. Throws `secret_exists` (409) and `secret_too_large` (400).
   */
  make(
    place: SecretPlace,
    values: ReadonlyMap<string, Uint8Array>,
    by: OnBehalf,
    uid?: string,
  ): Promise<KeptSecret>;
  /**
   * Has it hold these values, and no others, from now on; of the keys to `keep` the values that it has, which nobody reads for that. Undefined
   * when there is none. Throws `secret_too_large` (400), and `no_such_key` (400) for one that cannot be kept.
   */
  replace(
    place: SecretPlace,
    values: ReadonlyMap<string, Uint8Array>,
    by: OnBehalf,
    keep?: readonly string[],
  ): Promise<KeptSecret | undefined>;
  /** Deletes as the secure store does: thirty days may pass before it is purged. False when there is nothing to delete. */
  remove(place: SecretPlace, by: OnBehalf): Promise<boolean>;
  /** Brings a deleted one back, as it was. Undefined when there is none. */
  restore(place: SecretPlace, by: OnBehalf): Promise<KeptSecret | undefined>;
  /**
   * Opens the newest values of these keys for an app; one that the secret does not have is missing in the answer. Resolves after the trail has it
   * durably who used what, and rejects when it cannot be recorded.
   */
  use(place: SecretPlace, keys: readonly string[], by: OnBehalf): Promise<ReadonlyMap<string, Buffer>>;
  /** Opens all newest values for somebody to read; else the same. Undefined when there is none. */
  reveal(place: SecretPlace, by: OnBehalf): Promise<ReadonlyMap<string, Buffer> | undefined>;
}

export interface KeptList {
  /** Of these parents; `app:` for those of every app. */
  readonly parents: readonly string[];
  /** Only those whose id holds it; empty for all. */
  readonly query: string;
  /** The last one of the page before. */
  readonly after: SecretPlace | undefined;
  readonly limit: number;
}

export interface SecretPlace {
  /** `workspaces/<id>`, no alias; or `appParent(…)`. */
  readonly parent: string;
  readonly id: string;
}

/**
 * Where an app keeps what only it may use (APP): no role in any workspace opens it, and no address of the secure store leads there. A PRIVATE
 * secret is in its owner's personal workspace, one for ALL_USERS in `workspaces/global`.
 */
export const appParent = (appName: string): string => `app:${appName}`;

/** A secret without its values. */
export interface KeptSecret extends SecretPlace {
  readonly uid: string;
  readonly displayName: string;
  /** `users/<subject>`. */
  readonly creator: string;
  readonly createdAt: Date;
  /** When what it holds now was put there, and by whom. */
  readonly changedAt: Date;
  readonly changedBy: string;
  /** A secret that was made by the secure store has the one key `value`. */
  readonly keys: readonly string[];
}

/** For whom, as the audit trail tells it. */
export interface OnBehalf {
  /** `users/<subject>`, or `services/<name>`. */
  readonly principal: string;
  /** Say, which app and instance; keys as the trail wants them. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly sourceIpAddress?: string | undefined;
  readonly userAgent?: string | undefined;
}
