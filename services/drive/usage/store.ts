import { randomUUID } from 'node:crypto';
import type { Database } from '@haic/platform/database/port.ts';

export interface Usage {
  readonly bytes: number;
  readonly objects: number;
  /** Bytes; 0 for none. */
  readonly quota: number;
}

export type UsageStore = ReturnType<typeof createUsageStore>;

/** A writer that was not seen for so long is dead. It says that it lives three times as often. */
export const writerLivesForMs = 60_000;

/** How much there is, by bucket; the objects themselves are the truth (migrations/0001-usage.sql). */
export function createUsageStore(database: Database, defaultQuota: number) {
  const { sql } = database;
  const writer = randomUUID();

  const release = async (reservation: string): Promise<void> => {
    await sql`delete from drive.reservations where id = ${reservation}`;
  };

  return {
    /** False when so much more does not fit. `key` is what is replaced, whose bytes are free then. */
    reserve: async (reservation: string, bucket: string, bytes: number, key?: string): Promise<boolean> => {
      const [row] = await sql<{ fits: boolean }[]>`
        select drive.reserve(${bucket}, ${writer}, ${reservation}, ${bytes}, ${key === undefined ? null : Buffer.from(key)}::bytea,
          ${defaultQuota}) as fits`;
      return row?.fits === true;
    },

    release,

    /** How many bytes were set aside for many writes; 0 when none were, the quota being near. */
    lease: async (
      lease: string,
      bucket: string,
      { most, least }: { readonly most: number; readonly least: number },
    ): Promise<number> => {
      const [row] = await sql<{ bytes: string }[]>`
        select drive.lease(${bucket}, ${writer}, ${lease}, ${most}, ${least}, ${defaultQuota}) as bytes`;
      return Number(row?.bytes ?? 0);
    },

    /**
     * Accounts for these objects, and gives `drawn` bytes of the lease back. `accounts` is how many there were before. Seen by all at once, and on
     * the disk a moment later. `isWhole` is false when some of them were lost, `isAlone` when anybody else has accounted for something in the bucket
     * since then or leased room in it, `fits` when the quota is passed by now: it was lowered.
     */
    accountLeased: async (
      lease: { readonly id: string; readonly bucket: string; readonly accounts: number },
      objects: readonly { readonly key: string; readonly bytes: number | undefined }[],
      drawn: number,
    ): Promise<{ readonly isWhole: boolean; readonly isAlone: boolean; readonly fits: boolean }> => {
      const told = objects.map(({ key, bytes = null }) => ({ key: Buffer.from(key).toString('hex'), bytes }));
      const [row] = await sql<{ whole: boolean; alone: boolean; fits: boolean }[]>`
        select whole, alone, fits from drive.account_draws(${lease.bucket}, ${lease.id}, ${lease.accounts}, ${drawn}, ${sql.json(told)},
          ${defaultQuota})`;
      return { isWhole: row?.whole === true, isAlone: row?.alone === true, fits: row?.fits === true };
    },

    /** Nobody draws on it any more. False when some of its accounts were lost. */
    endLease: async (lease: string, accounts: number): Promise<boolean> => {
      const { count } =
        await sql`delete from drive.reservations where id = ${lease} and accounts = ${accounts}`;
      return count === 1;
    },
    /** So much of it was drawn by nobody and will not be. */
    shrinkLease: async (lease: string, bytes: number): Promise<void> => {
      await sql`update drive.reservations set bytes = greatest(bytes - ${bytes}, 0) where id = ${lease}`;
    },

    /**
     * `look` says the size of what is there at that moment, undefined for nothing; it is asked again afterwards, for another writer of the key
     * who was there in between (migrations/0003-accounts-without-locks.sql). Then gives back the reservation.
     */
    accountObject: async (
      bucket: string,
      key: string,
      look: () => Promise<number | undefined>,
      { reservation, uploadId }: { reservation?: string; uploadId?: string } = {},
    ): Promise<void> => {
      let bytes = await look();
      for (let looked: number | undefined; ; bytes = looked) {
        await database.transaction(async (transaction) => {
          if (uploadId !== undefined) await transaction`select drive.forget_parts(${bucket}, ${uploadId})`;
          await transaction`select drive.account_object(${bucket}, ${Buffer.from(key)}::bytea, ${bytes ?? null})`;
        });
        looked = await look();
        if (looked === bytes) break;
      }
      if (reservation !== undefined) await release(reservation);
    },

    accountPart: (
      bucket: string,
      part: { uploadId: string; partNumber: number; bytes: number },
      reservation?: string,
    ): Promise<void> =>
      database.transaction(async (transaction) => {
        if (reservation !== undefined)
          await transaction`delete from drive.reservations where id = ${reservation}`;
        await transaction`select drive.account_part(${bucket}, ${part.uploadId}, ${part.partNumber}, ${part.bytes})`;
      }),

    forgetParts: async (bucket: string, uploadId: string): Promise<void> => {
      await sql`select drive.forget_parts(${bucket}, ${uploadId})`;
    },

    usageOf: async (bucket: string): Promise<Usage> => {
      const [row] = await sql<{ bytes: string; objects: string; quota: string | null }[]>`
        select bytes, objects, quota from drive.usage where bucket = ${bucket}`;
      return {
        bytes: Number(row?.bytes ?? 0),
        objects: Number(row?.objects ?? 0),
        quota: Number(row?.quota ?? defaultQuota),
      };
    },

    /** The bucket is no more, and nobody writes to it. */
    forget: (bucket: string): Promise<void> =>
      database.transaction(async (transaction) => {
        for (const table of ['parts', 'objects', 'usage'])
          await transaction`delete from ${transaction(`drive.${table}`)} where bucket = ${bucket}`;
      }),

    /** As `setQuota` set it; undefined for a bucket that nothing was ever put into. */
    ownQuotaOf: async (bucket: string): Promise<number | 'default' | undefined> => {
      const [row] = await sql<
        { quota: string | null }[]
      >`select quota from drive.usage where bucket = ${bucket}`;
      return row === undefined ? undefined : row.quota === null ? 'default' : Number(row.quota);
    },

    /** Undefined for the installation's setting, 0 for no quota. */
    setQuota: async (bucket: string, quota: number | undefined): Promise<void> => {
      await sql`
        insert into drive.usage (bucket, quota) values (${bucket}, ${quota ?? null})
        on conflict (bucket) do update set quota = excluded.quota`;
    },

    /** That this process lives; also what makes it a writer. */
    live: async (): Promise<void> => {
      await sql`
        insert into drive.writers (id) values (${writer})
        on conflict (id) do update set seen_at = now()`;
    },
    /** It stops, with everything accounted for. */
    leave: async (): Promise<void> => {
      await sql`delete from drive.writers where id = ${writer}`;
    },

    /** Buckets that writers which died may have written to. */
    leftBehind: async (): Promise<readonly string[]> => {
      const rows = await sql<{ bucket: string }[]>`
        select distinct r.bucket from drive.reservations r join drive.writers w on w.id = r.writer
        where w.seen_at < now() - make_interval(secs => ${writerLivesForMs / 1000})`;
      return rows.map(({ bucket }) => bucket);
    },
    /** What the dead had set aside in this bucket is free again: it was counted. */
    releaseLeftBehind: async (bucket: string): Promise<void> => {
      await sql`
        delete from drive.reservations r using drive.writers w
        where w.id = r.writer and r.bucket = ${bucket}
          and w.seen_at < now() - make_interval(secs => ${writerLivesForMs / 1000})`;
    },
    buryWriters: async (): Promise<void> => {
      await sql`
        delete from drive.writers w
        where w.seen_at < now() - make_interval(secs => ${writerLivesForMs / 1000})
          and not exists (select from drive.reservations r where r.writer = w.id)`;
    },

    /** A page of what is accounted for, in byte order of the keys. */
    accounted: async (
      bucket: string,
      after: string | undefined,
      limit: number,
    ): Promise<readonly { key: string; bytes: number }[]> => {
      const rows = await sql<{ key: Buffer; bytes: string }[]>`
        select key, bytes from drive.objects
        where bucket = ${bucket} ${after === undefined ? sql`` : sql`and key > ${Buffer.from(after)}::bytea`}
        order by key limit ${limit}`;
      return rows.map(({ key, bytes }) => ({ key: key.toString(), bytes: Number(bytes) }));
    },
    /**
     * A page of what is directly in a folder by the account, in byte order: objects, and sub-folders with their slash. `folder` ends in a slash, or is
     * empty. What lies in a sub-folder costs nothing, however much it is.
     */
    entriesIn: async (
      bucket: string,
      folder: string,
      after: string | undefined,
      limit: number,
    ): Promise<readonly string[]> => {
      const rows = await sql<{ entry: Buffer }[]>`
        select entry from drive.entries_in(${bucket}, ${Buffer.from(folder)}::bytea, ${Buffer.from(after ?? folder)}::bytea, ${limit}) as entry`;
      return rows.map(({ entry }) => entry.toString());
    },
    accountedUploads: async (bucket: string): Promise<readonly string[]> => {
      const rows = await sql<{ id: string }[]>`
        select distinct upload_id as id from drive.parts where bucket = ${bucket}`;
      return rows.map(({ id }) => id);
    },
    /** The sums again, of what is accounted for; who is accounting waits. */
    sumUp: (bucket: string): Promise<void> =>
      database.transaction(async (transaction) => {
        await transaction`select from drive.usage where bucket = ${bucket} for update`;
        await transaction`
          update drive.usage set
            bytes = (select coalesce(sum(bytes), 0) from drive.objects where bucket = ${bucket})
              + (select coalesce(sum(bytes), 0) from drive.parts where bucket = ${bucket}),
            objects = (select count(*) from drive.objects where bucket = ${bucket})
          where bucket = ${bucket}`;
      }),
  };
}
