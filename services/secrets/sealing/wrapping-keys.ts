import { createHash } from 'node:crypto';
import { HaicError, unavailable } from '@haic/kit/errors.ts';
import { masterKeyBytes } from '@haic/kit/keys.ts';

/** A key that wraps data keys. It is never in the database; its id is. */
export interface WrappingKey {
  /** Follows from the key, so that a wrong key is told from a missing one by its id alone. */
  readonly id: string;
  readonly key: Buffer;
}

/** All the keys that are at hand: the first wraps, every one unwraps. */
export interface Keyring {
  readonly current: WrappingKey;
  find(id: string): WrappingKey | undefined;
}

/** Where the keys are kept, which is outside the database. */
export interface KeySource {
  /** Throws where the keys that were configured cannot be read. */
  read(): Promise<Keyring>;
  /** Makes a new key, durably, which is the current one from then on. Undefined where whoever runs Haic brings the keys. */
  readonly addNew?: (() => Promise<void>) | undefined;
  /** Forgets every key of Haic's own making but those that are named here. */
  readonly keepOnly?: ((ids: readonly string[]) => Promise<void>) | undefined;
}

export const wrappingKey = (key: Buffer): WrappingKey => ({ id: idOf(key), key });

/** A hash of 256 random bits gives none of them away. */
const idOf = (key: Buffer): string =>
  createHash('sha256').update('haic:wrapping-key:').update(key).digest('hex').slice(0, 16);

export function keyringOf(keys: readonly WrappingKey[]): Keyring {
  const [current] = keys;
  if (current === undefined) throw new Error('A keyring needs a key.');
  const byId = new Map(keys.map((key) => [key.id, key]));
  return { current, find: (id) => byId.get(id) };
}

const keyLine = new RegExp(`^[0-9a-f]{${masterKeyBytes * 2}}$`, 'i');

/** One key a line, the current one first. `where` is for the message. */
export function parseKeys(text: string, where: string): readonly WrappingKey[] {
  const lines = text
    .split(/\s+/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0 || !lines.every((line) => keyLine.test(line)))
    throw new Error(
      `${where} holds no keys: one a line, ${masterKeyBytes * 2} hexadecimal digits each, the current one first.`,
    );
  return lines.map((line) => wrappingKey(Buffer.from(line, 'hex')));
}

export const keysUnreadable = (cause: unknown): HaicError =>
  cause instanceof HaicError
    ? cause
    : unavailable(
        'secrets_key_unavailable',
        'The key of the secrets cannot be read, so none can be opened or kept. Nothing was changed; whoever runs Haic finds the reason in its log.',
        { cause },
      );

export const keyMissing = (id: string): HaicError =>
  unavailable(
    'secrets_key_missing',
    `This was sealed under the key ${id}, which Haic does not have. Nothing was changed; whoever runs Haic has to give it that key again.`,
  );
