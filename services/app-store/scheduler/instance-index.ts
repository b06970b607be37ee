import type { InstanceIdentity } from './model.ts';

/** Where an instance stands in lists. */
export type Place = Pick<InstanceIdentity, 'createdAt' | 'id'>;

/** What an instance is found by. */
export type Indexed = Place & {
  readonly owner: InstanceIdentity['owner'];
  readonly app: Pick<InstanceIdentity['app'], 'id'>;
};

/** All of it has to be so; nothing asks for every instance. */
export interface InstanceQuery {
  /** Of this subject. */
  readonly owner?: string | undefined;
  readonly username?: string | undefined;
  readonly appId?: string | undefined;
}

/** The newest first; of one moment, by id. */
export function newestFirst(a: Place, b: Place): number {
  if (a.createdAt !== b.createdAt) return a.createdAt > b.createdAt ? -1 : 1;
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}

/** Kept in the order of lists, altogether and by owner, user name and app: a page costs what is on it, however many instances there are. */
export interface InstanceIndex<T> {
  put(item: T): void;
  /** Whether it was there. */
  remove(id: string): boolean;
  get(id: string): T | undefined;
  /** In order, from the first or from the first behind the place. To be read at once: what changes meanwhile moves it. */
  inOrder(query: InstanceQuery, behind?: Place): Iterable<T>;
}

export function createInstanceIndex<T>(instanceOf: (item: T) => Indexed): InstanceIndex<T> {
  const items = new Map<string, T>();
  const everything: T[] = [];
  const groups = {
    owner: new Map<string, T[]>(),
    username: new Map<string, T[]>(),
    appId: new Map<string, T[]>(),
  };
  const names = Object.keys(groups) as (keyof typeof groups)[];

  /** How many come before the place, or are at it. */
  function countUpTo(list: readonly T[], place: Place): number {
    let [from, to] = [0, list.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const other = list[middle];
      if (other !== undefined && newestFirst(instanceOf(other), place) <= 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  function remove(id: string): boolean {
    const item = items.get(id);
    if (item === undefined) return false;
    items.delete(id);
    const instance = instanceOf(item);
    const takeFrom = (list: T[]) => void list.splice(countUpTo(list, instance) - 1, 1);
    takeFrom(everything);
    for (const name of names) {
      const key = keyOf[name](instance);
      const list = groups[name].get(key) ?? [];
      takeFrom(list);
      if (list.length === 0) groups[name].delete(key);
    }
    return true;
  }

  /** The shortest list that holds all that is asked for. */
  function narrowest(query: InstanceQuery): readonly T[] {
    let found: readonly T[] = everything;
    for (const name of names) {
      const key = query[name];
      const list = key === undefined ? found : (groups[name].get(key) ?? []);
      if (list.length < found.length) found = list;
    }
    return found;
  }

  return {
    remove,
    get: (id) => items.get(id),
    put(item) {
      const instance = instanceOf(item);
      remove(instance.id);
      items.set(instance.id, item);
      const addTo = (list: T[]) => void list.splice(countUpTo(list, instance), 0, item);
      addTo(everything);
      for (const name of names) {
        const key = keyOf[name](instance);
        const list = groups[name].get(key) ?? [];
        addTo(list);
        groups[name].set(key, list);
      }
    },
    *inOrder(query, behind) {
      const list = narrowest(query);
      for (let at = behind === undefined ? 0 : countUpTo(list, behind); at < list.length; at += 1) {
        const item = list[at];
        if (item !== undefined && isOf(instanceOf(item), query)) yield item;
      }
    },
  };
}

const keyOf: Readonly<Record<keyof InstanceQuery, (instance: Indexed) => string>> = {
  owner: ({ owner }) => owner.subject,
  username: ({ owner }) => owner.username,
  appId: ({ app }) => app.id,
};

const isOf = ({ owner, app }: Indexed, query: InstanceQuery): boolean =>
  (query.owner === undefined || owner.subject === query.owner) &&
  (query.username === undefined || owner.username === query.username) &&
  (query.appId === undefined || app.id === query.appId);
