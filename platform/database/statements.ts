import type { Logger } from '@haic/kit/logging.ts';
import type { Sql, TransactionSql } from './port.ts';

export interface StatementLog {
  readonly logger: Logger;
  /** From so many milliseconds on a statement is logged; 0 for none. */
  readonly slowMs: number;
}

/**
 * What callers expect and answer by themselves (a constraint that refuses, transactions that clash), and what says of the whole server that it is
 * away or full: each statement would say it again.
 */
const unremarkable = /^(23|40|53|57P)/;

/**
 * Has each statement that is slow, or that the database refuses, logged: within a request the line carries its id. Here, where the id is known: in a
 * comment of the statement it would make each one another to the server, which prepares them by their text. The text has no values.
 */
export function logStatements<T extends Sql | TransactionSql>(sql: T, log: StatementLog): T {
  return new Proxy(sql, {
    apply: (target, self, args) => {
      const made: unknown = Reflect.apply(target, self, args);
      // Neither a list of columns nor another part of a statement.
      if (isTemplate(args[0]) && made instanceof Promise) whenAsked(made, textOf(args[0]), log);
      return made;
    },
  });
}

const isTemplate = (given: unknown): given is TemplateStringsArray => Array.isArray(given) && 'raw' in given;

const textOf = (strings: TemplateStringsArray) => (): string =>
  strings.join('…').replace(/\s+/g, ' ').trim().slice(0, 500);

/** A statement is sent when somebody waits for it; until then it may become a part of another one. */
function whenAsked(made: Promise<unknown>, text: () => string, { logger, slowMs }: StatementLog): void {
  Object.defineProperty(made, 'then', { value: begin, configurable: true, writable: true });
  const ownThen = Object.getPrototypeOf(made).then as Promise<unknown>['then'];

  function begin(...handlers: Parameters<typeof ownThen>) {
    Object.defineProperty(made, 'then', { value: ownThen });
    const began = performance.now();
    const ended = (error?: unknown) => {
      const milliseconds = Math.round(performance.now() - began);
      const code = stateOf(error);
      const isSlow = slowMs > 0 && milliseconds >= slowMs;
      const isRefused = code !== undefined && !unremarkable.test(code);
      if (!isSlow && !isRefused) return;
      const facts = { statement: text(), milliseconds, ...(code === undefined ? {} : { code }) };
      logger.warn(facts, isRefused ? 'The database refused a statement.' : 'A statement took long.');
    };
    ownThen.call(made, () => ended(), ended);
    return ownThen.apply(made, handlers);
  }
}

/** The SQLSTATE of what the server said; nothing of an error of the connection. */
function stateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}
