export type InTurn = <T>(id: string, work: () => Promise<T>) => Promise<T>;

/** Work on one id happens one after another; work on different ids does not wait. */
export function createTurns(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return <T>(id: string, work: () => Promise<T>): Promise<T> => {
    const before = last.get(id) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(work);
    last.set(id, mine);
    const forget = () => {
      if (last.get(id) === mine) last.delete(id);
    };
    mine.then(forget, forget);
    return mine;
  };
}
