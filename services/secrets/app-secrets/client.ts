import type { WorkspaceActor } from '@haic/services/workspaces/client.ts';

export { isSecretKey, isSecretName, parseReference } from './model.ts';

/** An app, as far as it decides which secrets it may have. */
export interface AppOfSecrets {
  /** As app.toml says. */
  readonly name: string;
  /** Who imported it: the app gets what they may read. */
  readonly importer: WorkspaceActor;
  /** Whether it is still theirs. What was lent to an app of one's own is not lent to somebody else's. */
  readonly isImporters: boolean;
}

/** `Secret` and `SecretKey` of app.toml. */
export interface SecretReference {
  readonly secret: string;
  readonly key: string;
}

/** Why an app gets nothing for a reference, in plain words, and what to do about it. Never of a secret that the importer may not know of. */
export interface SecretLack {
  /** `secret_missing`, `secret_key_missing`; `secret_refused`: it is there, and somebody who is asked for may not. */
  readonly code: 'secret_missing' | 'secret_key_missing' | 'secret_refused';
  readonly message: string;
  readonly remedy: string;
}

export type SecretOutcome = { readonly value: Uint8Array } | { readonly lack: SecretLack };

/** One start of an instance, for the trail. */
export interface SecretUse {
  readonly app: AppOfSecrets & { readonly id: string };
  readonly instanceId: string;
  /** Whose instance it is: they use, and the values are given to nobody else. */
  readonly user: WorkspaceActor;
}

/** What the App Store asks of the secrets. In memory inside core. */
export interface AppSecretsClient {
  /**
   * What an app lacks, in the order of its references; undefined where nothing. No value is read. With `user` also whether they may use it.
   * Throws `secure_store_unavailable` (503) when that cannot be told.
   */
  examine(
    app: AppOfSecrets,
    references: readonly SecretReference[],
    user?: WorkspaceActor,
  ): Promise<readonly (SecretLack | undefined)[]>;
  /**
   * The values for one start, in the order of the references. Each secret that is read is recorded as used, and what cannot be recorded is not
   * given. Throws as `examine` does.
   */
  use(use: SecretUse, references: readonly SecretReference[]): Promise<readonly SecretOutcome[]>;
}
