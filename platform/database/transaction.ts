import { setTimeout as sleep } from 'node:timers/promises';
import { traced } from '@haic/kit/telemetry/within-request.ts';
import type { Sql, TransactionSql } from './port.ts';

/** What the driver and the server say of a connection that has ended, or is about to. */
const lost = new Set([
  ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'ECONNRESET', 'EPIPE'],
  ...['57P01', '57P02'],
]);
/** How long after the server's word, or that of another connection, the driver may take to notice that this one has closed. */
const noticedWithinMs = 250;

/**
 * A transaction that survives its connection. The driver writes each further statement to a socket that is gone by then, its own ROLLBACK included, and
 * the error of that write, which nobody can catch, ends the process: a restart of PostgreSQL would end Haic. So after such a loss no statement
 * reaches the driver, and it does not hear from the work that it has failed: it notices by itself, and the server has rolled back long before.
 */
export const inTransaction = <T>(sql: Sql, work: (sql: TransactionSql) => Promise<T>): Promise<T> =>
  traced('transaction', () => whole(sql, work));

async function whole<T>(sql: Sql, work: (sql: TransactionSql) => Promise<T>): Promise<T> {
  const connection: Connection = { lostBy: undefined };
  const guarded = async (transaction: TransactionSql): Promise<T> => {
    try {
      return await work(whileConnected(transaction, connection));
    } catch (error) {
      if (isLostConnection(error)) await sleep(noticedWithinMs);
      // What was lost was another connection, or nothing: this one has a transaction to roll back.
      if (connection.lostBy === undefined) throw error;
      return await new Promise<never>(() => {});
    }
  };
  try {
    return (await sql.begin(guarded)) as T;
  } catch (error) {
    if (isLostConnection(error)) connection.lostBy = { error };
    throw error;
  }
}

interface Connection {
  lostBy: { readonly error: unknown } | undefined;
}

/** The same, until its connection is lost: then it throws at once, as whatever is under way there has been refused. */
function whileConnected(sql: TransactionSql, connection: Connection): TransactionSql {
  const check = () => {
    if (connection.lostBy !== undefined) throw connection.lostBy.error;
  };
  return new Proxy(sql, {
    apply: (target, self, args) => {
      check();
      return Reflect.apply(target, self, args);
    },
    get: (target, key) => {
      check();
      return Reflect.get(target, key);
    },
  });
}

/** Also where a service has put it into words of its own. */
function isLostConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string' && lost.has(error.code)) return true;
  return isLostConnection(error.cause);
}
