import { randomUUID } from 'node:crypto';
import type { UsageStore } from './store.ts';

/** Bytes that are set aside at once. */
const leaseBytes = 16 * 1024 ** 2;
const leastLeaseBytes = 2 * 1024 ** 2;
/** Bytes. Larger writes ask by themselves: it costs them little. */
const largestDraw = 1024 ** 2;
/** A lease that nobody draws on is given back. */
const idleAfterMs = 5_000;
/** So long after a bucket had no room for a lease it is not asked for another. */
const refusedForMs = 2_000;
/** So long an account waits for those of writes that are under way, to be made with them: most of what it costs is the statement. */
const gatherMs = 1;
const checkAfterMs = 1_000;
const checkedAtOnce = 32;

/** What one small write has drawn. */
export interface Draw {
  /**
   * Accounts for what is there under the key now, and gives the drawn bytes back. To be called once, whatever became of the write; with the size
   * of what was written, when it was.
   */
  account(key: string, written?: number): Promise<void>;
}

export interface Leases {
  /** Undefined where a write has to reserve for itself: it is large, or the quota is near. */
  draw(bucket: string, bytes: number): Promise<Draw | undefined>;
  /** What this process holds of the bucket and nobody has drawn, since somebody lacks it. */
  giveBack(bucket: string): Promise<void>;
  /** Buckets whose accounts may lack something: the database was away, or has lost what it had acknowledged. To be settled when they were counted anew. */
  doubtful(): readonly { readonly bucket: string; settle(): Promise<void> }[];
  /** Gives all back. False when there is a doubtful one. */
  stop(): Promise<boolean>;
}

interface Lease {
  readonly id: string;
  readonly bucket: string;
  left: number;
  /** Accounts that were made of it. */
  accounts: number;
  draws: number;
  /** Draws that are not to be accounted for yet. */
  writing: number;
  waiting: Waiting[];
  /** Called when nothing is written any more, if somebody waits for that. */
  onQuiet: () => void;
  isAccounting: boolean;
  isDoubtful: boolean;
  idle: NodeJS.Timeout | undefined;
  /** Bytes by key that were accounted for, and are not compared yet with what is there. */
  unchecked: Map<string, number | undefined>;
  nextCheck: NodeJS.Timeout | undefined;
  lastCheck: Promise<void>;
}

interface Accounted {
  readonly key: string;
  readonly bytes: number | undefined;
}

interface Waiting {
  readonly key: string;
  readonly written: number | undefined;
  readonly drawn: number;
  readonly done: (error?: unknown) => void;
}

/**
 * Room for many small writes, reserved durably once. Their accounts are made together, and without a wait for the disk: should the server lose
 * some of them, the lease is still there, and its bucket is counted anew.
 */
export function createLeases(
  store: Pick<UsageStore, 'lease' | 'accountLeased' | 'endLease' | 'shrinkLease' | 'release'>,
  sizeOf: (bucket: string, key: string) => Promise<number | undefined>,
): Leases {
  const current = new Map<string, Lease>();
  const all = new Set<Lease>();
  const asking = new Map<string, Promise<Lease | undefined>>();
  const refused = new Map<string, number>();

  async function ask(bucket: string): Promise<Lease | undefined> {
    const id = randomUUID();
    const left = await store.lease(id, bucket, { most: leaseBytes, least: leastLeaseBytes });
    if (left === 0) {
      refused.set(bucket, Date.now());
      return undefined;
    }
    refused.delete(bucket);
    const lease: Lease = {
      ...{ id, bucket, left, accounts: 0, draws: 0, writing: 0, waiting: [], onQuiet: () => {} },
      ...{ isAccounting: false, isDoubtful: false, idle: undefined },
      ...{ unchecked: new Map(), nextCheck: undefined, lastCheck: Promise.resolve() },
    };
    const before = current.get(bucket);
    current.set(bucket, lease);
    all.add(lease);
    if (before !== undefined) await endIfUnused(before);
    return lease;
  }

  async function leaseWith(bucket: string, bytes: number): Promise<Lease | undefined> {
    const known = current.get(bucket);
    if (known !== undefined && !known.isDoubtful && known.left >= bytes) return known;
    if (Date.now() - (refused.get(bucket) ?? 0) < refusedForMs) return undefined;
    const asked = asking.get(bucket) ?? ask(bucket).finally(() => asking.delete(bucket));
    asking.set(bucket, asked);
    const given = await asked;
    return given === undefined ? undefined : leaseWith(bucket, bytes);
  }

  /** The row goes away for good, and with that commit all accounts before it are on the disk. */
  async function endIfUnused(lease: Lease): Promise<void> {
    await check(lease);
    if (lease.draws > 0 || lease.isDoubtful || !all.has(lease)) return;
    clearTimeout(lease.idle);
    if (current.get(lease.bucket) === lease) current.delete(lease.bucket);
    all.delete(lease);
    const isWhole = await store.endLease(lease.id, lease.accounts).catch(() => false);
    if (isWhole) return;
    lease.isDoubtful = true;
    all.add(lease);
  }

  async function giveBack(bucket: string): Promise<void> {
    const lease = current.get(bucket);
    if (lease === undefined) return;
    current.delete(bucket);
    if (lease.draws === 0) return endIfUnused(lease);
    const { left } = lease;
    lease.left = 0;
    await store.shrinkLease(lease.id, left);
  }

  async function accountAll(lease: Lease): Promise<void> {
    if (lease.isAccounting) return;
    lease.isAccounting = true;
    while (lease.waiting.length > 0) {
      if (lease.writing > 0) await quietSoon(lease);
      const batch = lease.waiting;
      lease.waiting = [];
      const error = await accountBatch(lease, batch);
      for (const { done } of batch) done(error);
    }
    lease.isAccounting = false;
  }

  function quietSoon(lease: Lease): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, gatherMs);
    lease.onQuiet = () => {
      clearTimeout(timer);
      resolve();
    };
    return promise;
  }

  async function accountBatch(lease: Lease, batch: readonly Waiting[]): Promise<unknown> {
    const drawn = batch.reduce((sum, waiting) => sum + waiting.drawn, 0);
    // Of two writes of one key it does not matter whose size it is: it is looked at afterwards.
    const written = new Map(batch.map(({ key, written }) => [key, written]));
    try {
      const objects = await Promise.all(
        [...written].map(async ([key, size]) => ({ key, bytes: size ?? (await sizeOf(lease.bucket, key)) })),
      );
      const fits = await account(lease, objects, drawn);
      lease.nextCheck ??= setTimeout(() => void check(lease), checkAfterMs).unref();
      // The quota was lowered: from here on each write asks for itself.
      if (!fits) await giveBack(lease.bucket);
      return undefined;
    } catch (error) {
      // Whether it was committed nobody knows.
      lease.isDoubtful = true;
      return error;
    }
  }

  /** Whether the quota is kept. */
  async function account(lease: Lease, objects: readonly Accounted[], drawn: number): Promise<boolean> {
    const { isWhole, fits } = await store.accountLeased(lease, objects, drawn);
    if (!isWhole) lease.isDoubtful = true;
    lease.accounts += 1;
    for (const { key, bytes } of objects) lease.unchecked.set(key, bytes);
    return fits;
  }

  /**
   * Of two that write a key at once, here or in another process, the one whose bytes are not there any more may be the last to account for them. So
   * what is there is looked at later, once for all writes of a while; a lease does not end before, and one that its process did not
   * end has its bucket counted anew.
   */
  function check(lease: Lease): Promise<void> {
    clearTimeout(lease.nextCheck);
    lease.nextCheck = undefined;
    lease.lastCheck = lease.lastCheck.then(() => checkNow(lease));
    return lease.lastCheck;
  }

  async function checkNow(lease: Lease): Promise<void> {
    try {
      while (lease.unchecked.size > 0) {
        const some = [...lease.unchecked].slice(0, checkedAtOnce);
        for (const [key] of some) lease.unchecked.delete(key);
        const now = await Promise.all(
          some.map(async ([key, before]) => ({ key, before, bytes: await sizeOf(lease.bucket, key) })),
        );
        const changed = now.filter(({ before, bytes }) => before !== bytes);
        if (changed.length > 0) await account(lease, changed, 0);
      }
    } catch {
      // Whether they are right nobody knows.
      lease.isDoubtful = true;
      lease.unchecked.clear();
    }
  }

  function release(lease: Lease): void {
    lease.draws -= 1;
    if (lease.draws > 0) return;
    clearTimeout(lease.idle);
    const after = current.get(lease.bucket) === lease ? idleAfterMs : 0;
    lease.idle = setTimeout(() => void endIfUnused(lease), after).unref();
  }

  return {
    draw: async (bucket, bytes) => {
      if (bytes > largestDraw) return undefined;
      const lease = await leaseWith(bucket, bytes);
      if (lease === undefined) return undefined;
      lease.left -= bytes;
      lease.draws += 1;
      lease.writing += 1;
      return {
        account: async (key, written) => {
          const { promise, resolve, reject } = Promise.withResolvers<void>();
          lease.writing -= 1;
          lease.waiting.push({
            ...{ key, written, drawn: bytes },
            done: (error) => (error === undefined ? resolve() : reject(error)),
          });
          if (lease.writing === 0) lease.onQuiet();
          void accountAll(lease);
          await promise.finally(() => release(lease));
        },
      };
    },
    giveBack,
    // Nobody draws on a doubtful one any more; a write that still does may be passed over by the counting.
    doubtful: () =>
      [...all]
        .filter((lease) => lease.isDoubtful && lease.draws === 0)
        .map((lease) => ({
          bucket: lease.bucket,
          settle: async () => {
            await store.release(lease.id);
            all.delete(lease);
          },
        })),
    stop: async () => {
      for (const lease of [...all]) await endIfUnused(lease);
      return all.size === 0;
    },
  };
}
