import { sleep } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import { ApiError, type KubeApi } from './api.ts';
import type { KubeObject } from './objects.ts';

/** A collection of the API, held here as the server has it: listed, then watched, and listed anew when a watch can tell no more. */
export interface Reflector<T extends KubeObject> {
  get(name: string): T | undefined;
  all(): Iterable<T>;
  /** Those of one group (`groupOf`). */
  group(group: string): readonly T[];
  /** What a write has answered with, before the watch tells of it: who writes sees what they wrote. */
  seen(object: T): void;
  /** Resolves after the first list. */
  readonly synced: Promise<void>;
  /** Since when the server cannot be reached; undefined while it can. */
  awaySince(): Date | undefined;
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly api: KubeApi;
  /** What the objects are: lists do not say it of each. */
  readonly kind: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** What of an object is kept. */
  readonly lean: (object: T) => T;
  /** Undefined: nobody's. */
  readonly groupOf: (object: T) => string | undefined;
  readonly changed: (object: T) => void;
  readonly resyncMs: number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

interface List<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[];
}

type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: T }
  | { readonly type: 'ERROR'; readonly object: { code?: number; reason?: string; message?: string } };

const pageSize = 500;
/** The server ends a watch after so long; a connection that died without a word is noticed soon after. */
const watchSeconds = 300;
/** The server sends a bookmark about each minute to who asks for them. */
const quietMs = 150_000;
const longestPauseMs = 10_000;

export function startReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector<T> {
  const { api, path, query, signal, logger } = options;
  const store = createStore(options.groupOf, options.changed);
  const first = Promise.withResolvers<void>();
  let away: Date | undefined;

  async function list(): Promise<string> {
    const items: T[] = [];
    let next: string | undefined;
    for (;;) {
      const page: List<T> = await api.json({
        path,
        query: { ...query, limit: pageSize, continue: next },
        signal,
      });
      // Leaner at once: the whole of thousands is never held.
      for (const item of page.items) items.push(options.lean({ ...item, kind: options.kind }));
      next = page.metadata.continue || undefined;
      if (next !== undefined) continue;
      store.replace(items, page.metadata.resourceVersion);
      away = undefined;
      first.resolve();
      return page.metadata.resourceVersion;
    }
  }

  /** Watches from the version on until the server ends it; returns the version that it has come to. */
  async function watch(from: string): Promise<string> {
    let version = from;
    const lines = api.lines({
      path,
      query: {
        ...query,
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: from,
        timeoutSeconds: watchSeconds,
      },
      quietMs,
      signal,
    });
    for await (const line of lines) {
      away = undefined;
      const event = JSON.parse(line) as WatchEvent<T>;
      if (event.type === 'ERROR') {
        const { code = 500, reason = '', message = '' } = event.object;
        throw new ApiError(code, reason, message);
      }
      version = event.object.metadata.resourceVersion;
      if (event.type === 'DELETED') store.remove(event.object);
      else if (event.type !== 'BOOKMARK') store.put(options.lean(event.object));
    }
    return version;
  }

  async function run(): Promise<void> {
    let version: string | undefined;
    let listedAt = 0;
    let pauseMs = 0;
    while (!signal.aborted) {
      try {
        if (version === undefined || performance.now() - listedAt > options.resyncMs) {
          version = await list();
          listedAt = performance.now();
        }
        version = await watch(version);
        pauseMs = 0;
      } catch (error) {
        if (signal.aborted) return;
        // 410: the server keeps no changes from so far back. Whatever else it was, a new list is right too.
        const isExpired = error instanceof ApiError && error.status === 410;
        version = undefined;
        pauseMs = isExpired ? 0 : Math.min(longestPauseMs, Math.max(250, pauseMs * 2));
        if (!isExpired) {
          if (away === undefined) logger.warn(`Kubernetes cannot be watched (${path}): ${messageOf(error)}`);
          away ??= new Date();
        }
        await sleep(pauseMs * (0.5 + Math.random() / 2), signal).catch(() => {});
      }
    }
  }
  void run();

  return {
    get: store.get,
    all: store.all,
    group: store.group,
    seen: (object) => store.put(options.lean(object)),
    synced: first.promise,
    awaySince: () => away,
  };
}

function createStore<T extends KubeObject>(
  groupOf: (object: T) => string | undefined,
  changed: (object: T) => void,
) {
  const objects = new Map<string, T>();
  const groups = new Map<string, Map<string, T>>();
  const forget = (object: T) => {
    objects.delete(object.metadata.name);
    const key = groupOf(object) ?? '';
    const group = groups.get(key);
    group?.delete(object.metadata.name);
    if (group?.size === 0) groups.delete(key);
  };
  const put = (object: T) => {
    const before = objects.get(object.metadata.name);
    if (before !== undefined && !isNewer(object, before)) return;
    if (before !== undefined) forget(before);
    objects.set(object.metadata.name, object);
    const key = groupOf(object) ?? '';
    const group = groups.get(key) ?? new Map<string, T>();
    groups.set(key, group.set(object.metadata.name, object));
    // It may have been somebody else's before.
    if (before !== undefined && groupOf(before) !== groupOf(object)) changed(before);
    changed(object);
  };
  const remove = (object: T) => {
    const before = objects.get(object.metadata.name);
    // One of the same name that was made after it stays.
    if (before === undefined || (before.metadata.uid !== object.metadata.uid && isNewer(before, object)))
      return;
    forget(before);
    changed(before);
  };
  return {
    put,
    remove,
    /** What is not in the list is gone, unless it was written here after the list was made. */
    replace(items: readonly T[], version: string) {
      const listed = new Set(items.map(({ metadata }) => metadata.name));
      for (const object of [...objects.values()])
        if (!listed.has(object.metadata.name) && !isLater(object.metadata.resourceVersion, version))
          remove(object);
      for (const object of items) put(object);
    },
    get: (name: string) => objects.get(name),
    all: () => objects.values(),
    group: (group: string): readonly T[] => [...(groups.get(group)?.values() ?? [])],
  };
}

export const isNewer = (object: KubeObject, than: KubeObject): boolean =>
  isLater(object.metadata.resourceVersion, than.metadata.resourceVersion);

/** Versions of one kind of object are numbers that grow, too large for a double some day. */
const isLater = (version: string, than: string): boolean =>
  version.length === than.length ? version > than : version.length > than.length;
