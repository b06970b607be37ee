import { createOperations, type OperationName, type Operations, perform } from './operations.ts';

export type ArgumentsOf<N extends OperationName> = Parameters<Operations[N]>;
export type ResultOf<N extends OperationName> = ReturnType<Operations[N]>;

/** Where operations run. */
export interface Thread {
  /** Buffers among the arguments and in the result change hands, where they would have to be copied. */
  call<N extends OperationName>(name: N, ...args: ArgumentsOf<N>): Promise<ResultOf<N>>;
  /** So that it does not end while a file is open on it. */
  hold(): void;
  release(): void;
}

/** The thread that asks: for a program that does nothing else meanwhile. */
export function createOwnThread(): Thread {
  const operations = createOperations();
  return {
    call: async <N extends OperationName>(name: N, ...args: ArgumentsOf<N>) =>
      perform(operations, name, args) as ResultOf<N>,
    hold: () => undefined,
    release: () => undefined,
  };
}
