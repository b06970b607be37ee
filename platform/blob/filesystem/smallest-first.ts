/** Batches grow, so that who wants all of them pays for a few rounds only. */
const firstBatch = 1_100;
const growth = 8;

/**
 * The items in order, found as far as they are asked for: a page of a hundred thousand names costs one look at each, not their
 * sorting. No two items may be equal.
 */
export function* smallestFirst<T>(items: readonly T[], compare: (a: T, b: T) => number): Generator<T> {
  let rest = items;
  for (let size = firstBatch; rest.length > size; size *= growth) {
    const batch = smallest(rest, size, compare);
    yield* batch;
    const last = batch.at(-1);
    if (last === undefined) return;
    rest = rest.filter((item) => compare(item, last) > 0);
  }
  yield* [...rest].sort(compare);
}

/** Keeps the smallest in a heap whose top is the largest of them. */
function smallest<T>(items: readonly T[], size: number, compare: (a: T, b: T) => number): T[] {
  const heap = items.slice(0, size).sort((a, b) => compare(b, a));
  for (let i = size; i < items.length; i += 1) {
    const item = items[i] as T;
    if (compare(item, heap[0] as T) < 0) replaceTop(heap, item, compare);
  }
  return heap.sort(compare);
}

function replaceTop<T>(heap: T[], item: T, compare: (a: T, b: T) => number): void {
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    if (left >= heap.length) break;
    const right = left + 1;
    const child = right < heap.length && compare(heap[right] as T, heap[left] as T) > 0 ? right : left;
    if (compare(heap[child] as T, item) <= 0) break;
    heap[at] = heap[child] as T;
    at = child;
  }
  heap[at] = item;
}
