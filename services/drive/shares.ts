import type { Database } from '@haic/platform/database/port.ts';

/** A link to an object, as who made it sees it: never the address. */
export interface Share {
  readonly id: string;
  readonly key: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export type ShareStore = ReturnType<typeof createShareStore>;

interface Row {
  readonly id: string;
  readonly key: Buffer;
  readonly created_at: Date;
  readonly expires_at: Date;
}

/** Links that are good. Ocean makes and ends them, Drive asks before it answers one. */
export function createShareStore({ sql }: Database) {
  return {
    keep: async (share: {
      readonly id: string;
      readonly subject: string;
      readonly bucket: string;
      readonly key: string;
      readonly expiresAt: Date;
    }): Promise<void> => {
      const { id, subject, bucket, key, expiresAt } = share;
      await sql`
        insert into drive.shares (id, subject, bucket, key, expires_at)
        values (${id}, ${subject}, ${bucket}, ${Buffer.from(key)}::bytea, ${expiresAt})`;
    },
    isGood: async (id: string): Promise<boolean> => {
      const rows = await sql`select 1 from drive.shares where id = ${id}`;
      return rows.length > 0;
    },
    /** Those of one person in one bucket that have not ended, the newest first. */
    page: async (
      { subject, bucket }: { readonly subject: string; readonly bucket: string },
      after: { readonly createdAt: Date; readonly id: string } | undefined,
      limit: number,
    ): Promise<readonly Share[]> => {
      const createdAt = sql`date_trunc('milliseconds', created_at)`;
      const rows = await sql<Row[]>`
        select id, key, created_at, expires_at from drive.shares
        where subject = ${subject} and bucket = ${bucket} and expires_at > now()
          ${after === undefined ? sql`` : sql`and (${createdAt}, id) < (${after.createdAt}, ${after.id})`}
        order by ${createdAt} desc, id desc limit ${limit}`;
      return rows.map((row) => ({
        ...{ id: row.id, key: row.key.toString() },
        ...{ createdAt: row.created_at, expiresAt: row.expires_at },
      }));
    },
    /** False when there is none such of this person. */
    end: async (share: {
      readonly id: string;
      readonly subject: string;
      readonly bucket: string;
    }): Promise<boolean> => {
      const { count } = await sql`
        delete from drive.shares
        where id = ${share.id} and subject = ${share.subject} and bucket = ${share.bucket}`;
      return count > 0;
    },
    endOfBucket: async (bucket: string): Promise<void> => {
      await sql`delete from drive.shares where bucket = ${bucket}`;
    },
    forgetEnded: async (): Promise<void> => {
      await sql`delete from drive.shares where expires_at < now()`;
    },
  };
}
