import { randomBytes, randomUUID } from 'node:crypto';
import { open, seal } from '@haic/kit/keys.ts';
import type { Database, Sql, TransactionSql } from '@haic/platform/database/port.ts';
import { type Keyring, type KeySource, keyMissing, keysUnreadable } from './wrapping-keys.ts';

/**
 * Envelopes: each thing that is kept has a data key of its own, which is stored wrapped by a key that is not in the database. So a rotation
 * writes 60 bytes a secret however large it is, and what is removed with its data key is gone from every copy of the rest.
 */
export interface Vault {
  /** To be awaited before a transaction begins: the keys may have to be read first, which takes a connection of its own. */
  unlock(): Promise<UnlockedVault>;
  /** Reads the keys anew. Where that fails, what was read before stays. */
  refresh(): Promise<UnlockedVault>;
}

export interface UnlockedVault {
  readonly keyring: Keyring;
  /** Makes a data key within the transaction of what it is for. */
  newDataKey(sql: TransactionSql): Promise<DataKey>;
  /** Throws `secrets_key_missing` (503) when it is wrapped by a key that is not at hand. */
  dataKey(reader: Sql | TransactionSql, id: string): Promise<DataKey>;
}

export interface DataKey {
  readonly id: string;
  /** `context` names the place: what was sealed for one is opened nowhere else. */
  seal(plain: Uint8Array | string, context: string): Buffer;
  open(sealed: Uint8Array, context: string): Buffer;
}

const dataKeyBytes = 32;

export function createVault(options: { readonly database: Database; readonly keys: KeySource }): Vault {
  const { database, keys } = options;
  let known: Promise<UnlockedVault> | undefined;

  const read = async (): Promise<UnlockedVault> => {
    const keyring = await readFitting(database, keys);
    return unlockedBy(keyring, () => {
      known = undefined;
    });
  };
  const unlock = (): Promise<UnlockedVault> => {
    if (known !== undefined) return known;
    const asked = read();
    known = asked;
    // What failed is asked again: the key may be back.
    asked.catch(() => {
      if (known === asked) known = undefined;
    });
    return asked;
  };

  return {
    unlock,
    refresh: async () => {
      const fresh = await read();
      known = Promise.resolve(fresh);
      return fresh;
    },
  };
}

export const contextOf = (dataKeyId: string): string => `data-key:${dataKeyId}`;

function unlockedBy(keyring: Keyring, outdated: () => void): UnlockedVault {
  return {
    keyring,
    newDataKey: async (sql) => {
      const { current } = keyring;
      const id = randomUUID();
      const plain = randomBytes(dataKeyBytes);
      const wrapped = seal(current.key, plain, contextOf(id));
      await sql`
        insert into secrets.data_keys (id, wrapping_key, wrapped)
        values (${id}, ${current.id}, ${wrapped})`.catch((error: unknown) => {
        if (!isForeignKeyViolation(error)) throw error;
        // Struck off by a rotation that another process finished.
        outdated();
        throw keyMissing(current.id);
      });
      return dataKeyOf(id, plain);
    },
    dataKey: async (reader, id) => {
      const [row] = await reader<{ wrapping_key: string; wrapped: Buffer }[]>`
        select wrapping_key, wrapped from secrets.data_keys where id = ${id}`;
      if (row === undefined) throw new Error(`There is no data key ${id}.`);
      const by = keyring.find(row.wrapping_key);
      if (by === undefined) {
        outdated();
        throw keyMissing(row.wrapping_key);
      }
      return dataKeyOf(id, open(by.key, row.wrapped, contextOf(id)));
    },
  };
}

const isForeignKeyViolation = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '23503';

const dataKeyOf = (id: string, key: Buffer): DataKey => ({
  id,
  seal: (plain, context) => seal(key, Buffer.from(plain), context),
  open: (sealed, context) => open(key, sealed, context),
});

/**
 * A key that the database does not know is taken for the next one only while the keys that it knows are at hand, too: otherwise it is a wrong
 * one, and what is written under it would hide that the right one is lost.
 */
async function readFitting(database: Database, keys: KeySource): Promise<Keyring> {
  const ring = await keys.read().catch((error: unknown) => {
    throw keysUnreadable(error);
  });
  const rows = await database.sql<{ id: string }[]>`
    select id from secrets.wrapping_keys order by created_at desc, id`;
  const isKnown = rows.some(({ id }) => id === ring.current.id);
  const missing = rows.find(({ id }) => ring.find(id) === undefined);
  if (!isKnown && missing !== undefined) throw keyMissing(missing.id);
  if (!isKnown)
    await database.sql`
      insert into secrets.wrapping_keys (id) values (${ring.current.id}) on conflict do nothing`;
  return ring;
}
