import type { SecretLack, SecretReference } from '@haic/services/secrets/app-secrets/client.ts';
import type { Manifest, ValueSource } from '../client.ts';

/** A value of app.toml that is a key of a secret. */
export interface SecretWanted {
  /** `the variable X` or `the file x/y`, for sentences. */
  readonly by: string;
  readonly from: ValueSource;
  readonly reference: SecretReference;
  readonly optional: boolean;
}

export function secretsWanted({ env, files }: Pick<Manifest, 'env' | 'files'>): readonly SecretWanted[] {
  const wanted = (by: string, from: ValueSource): SecretWanted[] =>
    from.kind === 'literal'
      ? []
      : [{ by, from, reference: { secret: from.secret, key: from.key }, optional: from.optional }];
  return [
    ...env.flatMap(({ name, from }) => wanted(`the variable ${name}`, from)),
    ...files.flatMap(({ path, from }) => wanted(`the file ${path}`, from)),
  ];
}

export type ExamineSecrets = (
  references: readonly SecretReference[],
) => Promise<readonly (SecretLack | undefined)[]>;

/** Which of them an app lacks, and cannot do without. */
export async function secretsLacking(
  wanted: readonly SecretWanted[],
  examine: ExamineSecrets,
): Promise<readonly { readonly wanted: SecretWanted; readonly lack: SecretLack }[]> {
  const needed = wanted.filter(({ optional }) => !optional);
  if (needed.length === 0) return [];
  const lacks = await examine(needed.map(({ reference }) => reference));
  return needed.flatMap((each, index) => {
    const lack = lacks[index];
    return lack === undefined ? [] : [{ wanted: each, lack }];
  });
}
