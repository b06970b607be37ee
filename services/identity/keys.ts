import { randomBytes, randomUUID } from 'node:crypto';
import { open, seal } from '@haic/kit/keys.ts';
import type { Database, Sql, TransactionSql } from '@haic/platform/database/port.ts';
import { exportJWK, generateKeyPair, type JWK } from 'jose';

/** RS256 signing keys and the keys of the issuer's own cookies, kept sealed in the database and changed by age. */
export interface IssuerKeys {
  /** The one that signs comes first; the others are published so that what they signed can still be verified. */
  readonly signing: readonly SigningKey[];
  /** Newest first: the first signs cookies, all verify them. */
  readonly cookies: readonly string[];
}

export type SigningKey = JWK & { readonly kid: string; readonly alg: 'RS256'; readonly use: 'sig' };

export interface NewKey {
  readonly keyId: string;
  readonly signsFrom: Date;
}

export interface KeyPolicy {
  /** After this a signing key is replaced. */
  readonly maximumAgeMs: number;
  /** How long a new key is published before it signs: verifiers cache the key set. */
  readonly publishAheadMs: number;
  /** How long a replaced key stays published: an ID token is a hint at sign-out for as long as its session lives. */
  readonly keepMs: number;
}

const day = 24 * 60 * 60 * 1000;
export const defaultKeyPolicy: KeyPolicy = {
  maximumAgeMs: 90 * day,
  publishAheadMs: 60 * 60 * 1000,
  keepMs: 30 * day,
};

/**
 * The least that a key is published before it signs if nobody is to be refused: replicas read the keys every minute, and who verifies asks
 * again for an unknown one at most every 30 s.
 */
export const publishAtLeastMs = 2 * 60 * 1000;

interface KeyRow {
  id: string;
  purpose: 'signing' | 'cookie';
  sealed: Buffer;
  created_at: Date;
  active_from: Date;
}

export type KeyRing = ReturnType<typeof createKeyRing>;

export function createKeyRing(database: Database, sealingKey: Buffer, policy: KeyPolicy, now: () => Date) {
  const rows = (): Promise<KeyRow[]> => database.sql<KeyRow[]>`
    select * from identity.issuer_keys order by active_from desc, id`;

  const insert = async (
    id: string,
    purpose: KeyRow['purpose'],
    secret: string,
    activeFrom: Date,
    writer: Sql | TransactionSql,
  ) => {
    await writer`
      insert into identity.issuer_keys (id, purpose, sealed, created_at, active_from)
      values (${id}, ${purpose}, ${seal(sealingKey, secret, id)}, ${now()}, ${activeFrom})`;
  };

  const addSigningKey = async (
    activeFrom: Date,
    writer: Sql | TransactionSql = database.sql,
  ): Promise<NewKey> => {
    const { privateKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
    const kid = randomUUID();
    const jwk: SigningKey = { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' };
    await insert(kid, 'signing', JSON.stringify(jwk), activeFrom, writer);
    return { keyId: kid, signsFrom: activeFrom };
  };

  const addCookieKey = (writer: Sql | TransactionSql = database.sql) =>
    insert(randomUUID(), 'cookie', randomBytes(32).toString('base64url'), now(), writer);

  return {
    /** Makes the first keys. Two processes that start at once both may: they then share all of them. */
    ensure: async (): Promise<void> => {
      const existing = await rows();
      if (!existing.some((row) => row.purpose === 'signing')) await addSigningKey(now());
      if (!existing.some((row) => row.purpose === 'cookie')) await addCookieKey();
    },

    read: async (): Promise<IssuerKeys> => {
      const all = await rows();
      const clear = (row: KeyRow) => open(sealingKey, row.sealed, row.id).toString();
      const signing = all.filter((row) => row.purpose === 'signing');
      const active = signing.filter((row) => row.active_from <= now());
      const coming = signing.filter((row) => row.active_from > now());
      return {
        signing: [...active, ...coming].map((row) => JSON.parse(clear(row)) as SigningKey),
        cookies: all.filter((row) => row.purpose === 'cookie').map(clear),
      };
    },

    /** A new signing key, which signs after `aheadMs`, and a new cookie key at once. */
    rotate: async ({ aheadMs = policy.publishAheadMs }: { aheadMs?: number } = {}): Promise<NewKey> => {
      await addCookieKey();
      return addSigningKey(new Date(now().getTime() + aheadMs));
    },

    /** New keys in place of all others, at once: what those signed is good no longer. */
    replace: (): Promise<NewKey> =>
      database.transaction(async (transaction) => {
        await transaction`delete from identity.issuer_keys`;
        await addCookieKey(transaction);
        return addSigningKey(now(), transaction);
      }),

    /** Rotates by age and forgets keys that nothing valid can be signed with any more. True when the set changed. */
    maintain: async (): Promise<boolean> => {
      const all = await rows();
      const signing = all.filter((row) => row.purpose === 'signing');
      const newest = signing[0];
      const tooOld =
        newest === undefined || now().getTime() - newest.active_from.getTime() > policy.maximumAgeMs;
      if (tooOld) {
        await addSigningKey(new Date(now().getTime() + policy.publishAheadMs));
        await addCookieKey();
      }
      const forgotten = [...forgettable(signing), ...forgettable(all.filter((r) => r.purpose === 'cookie'))];
      if (forgotten.length > 0) {
        await database.sql`delete from identity.issuer_keys where id = any(${forgotten.map((row) => row.id)})`;
      }
      return tooOld || forgotten.length > 0;
    },
  };

  /** Rows come newest first: a key ended when the next newer one became active. */
  function forgettable(ofOnePurpose: readonly KeyRow[]): KeyRow[] {
    return ofOnePurpose.filter((_row, index) => {
      const successor = ofOnePurpose[index - 1];
      return successor !== undefined && successor.active_from.getTime() + policy.keepMs < now().getTime();
    });
  }
}
