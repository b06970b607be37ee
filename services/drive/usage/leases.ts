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
const gatherMs = 20;
/** So many are made by one statement. */
const mostTogether = 64;
/** Where so many accounts wait, the database does not keep up, and who writes more waits with them. */
const mostWaiting = 1_000;
const checkAfterMs = 1_000;
const checkedAtOnce = 32;

/** What one small write has drawn. */
export interface Draw {
  /**
   * Has what is there under the key accounted for soon, and the drawn bytes given back. To be called once, whatever became of the write; with the
   * size of what was written, when it was. Resolves before the account is made where others are being written, of the same lease: until it is made, and
   * if it never is, the lease stands for it.
   */
  account(written?: number): Promise<void>;
}

export interface Leases {
  /** Undefined where a write has to reserve for itself: it is large, or the quota is near. */
  draw(bucket: string, key: string, bytes: number): Promise<Draw | undefined>;
  /** Resolves when what was written to the bucket before is accounted for, or cannot be. */
  settle(bucket: string): Promise<void>;
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
  /** Ends the wait for more of them, if there is one. */
  hurry: () => void;
  /** There is to be no such wait: somebody waits for those that are there. */
  isUrgent: boolean;
  isAccounting: boolean;
  /** Those that are being made. */
  making: Promise<void>;
  isDoubtful: boolean;
  idle: NodeJS.Timeout | undefined;
  /** By key, the draws for it that are not to be accounted for yet. */
  keys: Map<string, Drawn[]>;
  /** How often somebody else was seen to have accounted for something in the bucket. */
  sightings: number;
  /** Bytes by key that were accounted for, and are to be compared with what is there. */
  unchecked: Map<string, number | undefined>;
  nextCheck: NodeJS.Timeout | undefined;
  lastCheck: Promise<void>;
}

interface Accounted {
  readonly key: string;
  readonly bytes: number | undefined;
}

interface Drawn {
  readonly key: string;
  readonly bytes: number;
  /** Of the lease by then. */
  readonly sightings: number;
  /** There was another draw for the key meanwhile, and which of both wrote last nobody knows. */
  isShared: boolean;
}

interface Waiting {
  readonly draw: Drawn;
  readonly written: number | undefined;
  readonly made: PromiseWithResolvers<void>;
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
      ...{ id, bucket, left, accounts: 0, draws: 0, isDoubtful: false, idle: undefined },
      ...{ writing: 0, keys: new Map(), sightings: 0, waiting: [] },
      ...{ hurry: () => {}, isUrgent: false, isAccounting: false, making: Promise.resolve() },
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
      if (!lease.isUrgent && lease.writing > 0 && lease.waiting.length < mostTogether) await moreOf(lease);
      const batch = lease.waiting.splice(0, mostTogether);
      lease.isUrgent &&= lease.waiting.length > 0;
      lease.making = accountBatch(lease, batch);
      await lease.making;
      for (const { made } of batch) made.resolve();
    }
    lease.isAccounting = false;
  }

  function moreOf(lease: Lease): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, gatherMs);
    lease.hurry = () => {
      clearTimeout(timer);
      resolve();
    };
    return promise;
  }

  async function settle(bucket: string): Promise<void> {
    for (const lease of [...all].filter((lease) => lease.bucket === bucket)) {
      const waiting = lease.waiting.map(({ made }) => made.promise);
      lease.isUrgent = waiting.length > 0;
      lease.hurry();
      await Promise.all([lease.making, ...waiting]);
    }
  }

  /** What fails is nobody's error any more: the lease is in doubt, and its bucket counted anew. */
  async function accountBatch(lease: Lease, batch: readonly Waiting[]): Promise<void> {
    const drawn = batch.reduce((sum, { draw }) => sum + draw.bytes, 0);
    const written = new Map(batch.map(({ draw, written }) => [draw.key, written]));
    try {
      const objects = await Promise.all(
        [...written].map(async ([key, size]) => ({ key, bytes: size ?? (await sizeOf(lease.bucket, key)) })),
      );
      const fits = await account(lease, objects, drawn);
      const doubted = batch.filter(({ draw }) => draw.isShared || draw.sightings < lease.sightings);
      const keys = new Set(doubted.map(({ draw }) => draw.key));
      for (const { key, bytes } of objects) if (keys.has(key)) lease.unchecked.set(key, bytes);
      if (keys.size > 0) lease.nextCheck ??= setTimeout(() => void check(lease), checkAfterMs).unref();
      // The quota was lowered: from here on each write asks for itself.
      if (!fits) await giveBack(lease.bucket);
    } catch {
      // Whether it was committed nobody knows.
      lease.isDoubtful = true;
    }
  }

  /** Whether the quota is kept. */
  async function account(lease: Lease, objects: readonly Accounted[], drawn: number): Promise<boolean> {
    const { isWhole, isAlone, fits } = await store.accountLeased(lease, objects, drawn);
    if (!isWhole) lease.isDoubtful = true;
    if (!isAlone) lease.sightings += 1;
    lease.accounts += 1;
    return fits;
  }

  /**
   * Of two that write a key at once, here or in another process, the one whose bytes are not there any more may be the last to account for them. So
   * where somebody else may have been at it, which the account says, what is there is looked at later, once for all writes of a while; a lease does
   * not end before, and one that its process did not end has its bucket counted anew.
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
        if (changed.length === 0) continue;
        await account(lease, changed, 0);
        for (const { key, bytes } of changed) lease.unchecked.set(key, bytes);
      }
    } catch {
      // Whether they are right nobody knows.
      lease.isDoubtful = true;
      lease.unchecked.clear();
    }
  }

  function begin(lease: Lease, key: string, bytes: number): Drawn {
    const others = lease.keys.get(key) ?? [];
    const draw: Drawn = { key, bytes, sightings: lease.sightings, isShared: others.length > 0 };
    for (const other of others) other.isShared = true;
    lease.keys.set(key, [...others, draw]);
    lease.writing += 1;
    return draw;
  }

  function end(lease: Lease, draw: Drawn): void {
    const others = lease.keys.get(draw.key)?.filter((other) => other !== draw) ?? [];
    if (others.length === 0) lease.keys.delete(draw.key);
    else lease.keys.set(draw.key, others);
    lease.writing -= 1;
  }

  function release(lease: Lease): void {
    lease.draws -= 1;
    if (lease.draws > 0) return;
    clearTimeout(lease.idle);
    const after = current.get(lease.bucket) === lease ? idleAfterMs : 0;
    lease.idle = setTimeout(() => void endIfUnused(lease), after).unref();
  }

  return {
    draw: async (bucket, key, bytes) => {
      if (bytes > largestDraw) return undefined;
      const lease = await leaseWith(bucket, bytes);
      if (lease === undefined) return undefined;
      lease.left -= bytes;
      lease.draws += 1;
      const draw = begin(lease, key, bytes);
      return {
        account: async (written) => {
          end(lease, draw);
          const made = Promise.withResolvers<void>();
          lease.waiting.push({ draw, written, made });
          const { length } = lease.waiting;
          lease.isUrgent ||= lease.writing === 0;
          if (lease.isUrgent || length === mostTogether) lease.hurry();
          void accountAll(lease);
          void made.promise.then(() => release(lease));
          // Whoever wrote alone, or was the last of several, finds in the account what they wrote.
          if (lease.writing === 0 || length > mostWaiting) await made.promise;
        },
      };
    },
    settle,
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
      for (const lease of [...all]) {
        await settle(lease.bucket);
        await endIfUnused(lease);
      }
      return all.size === 0;
    },
  };
}
