import type { Sql, TransactionSql } from 'postgres';

/** PostgreSQL is part of the design (decision 7), so its SQL is not hidden; what is hidden is where the server comes from. */
export type { Sql, TransactionSql } from 'postgres';

export interface Database {
  readonly sql: Sql;
  transaction<T>(work: (sql: TransactionSql) => Promise<T>): Promise<T>;
  /** NOTIFY; payload at most 8000 bytes. Takes part in no transaction. */
  notify(channel: string, payload: string): Promise<void>;
  /**
   * LISTEN on a connection of its own that reconnects by itself. `onReady` is called after every (re)connect: what was notified
   * meanwhile is lost, so the listener must read afresh then.
   */
  listen(
    channel: string,
    onPayload: (payload: string) => void,
    onReady: () => void,
  ): Promise<{ stop(): Promise<void> }>;
  close(): Promise<void>;
}

/** A service's migrations: numbered SQL files, forward-only, in a schema of the service's own. */
export interface Migrations {
  readonly schema: string;
  /** Absolute path of the folder with `0001-name.sql`, `0002-name.sql`, … */
  readonly directory: string;
}
