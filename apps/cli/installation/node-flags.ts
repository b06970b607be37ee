import type { Role } from './processes.ts';

/**
 * MB of a young generation's semi-spaces. Small ones keep idle processes small; these are I/O-bound. The router's would fill within a hundred
 * requests, and what they are in the middle of is copied each time: measured, 5 µs a request against 1. In Drive the pieces of bodies, which lie
 * outside, are freed with it: with a large one they pile up until all of the heap is collected.
 */
const semiSpace: Readonly<Record<Role, number>> = { router: 16, core: 2, drive: 4 };

/**
 * MB of older objects, and of the memory outside that hangs on any, after which all of the heap is collected. V8 begins with some tens, of which a
 * heap as small as Drive's never gets far away: each 64 MiB that came in had all of it collected two or three times, a fifth of what they cost.
 * What the process holds at most is the same.
 */
const oldSpace: Readonly<Partial<Record<Role, number>>> = { drive: 128 };

/** Of Node, for a process that serves the role: on one machine the supervisor gives them, in a cluster the chart. */
export const nodeFlags = (role: Role): string[] => [
  `--max-semi-space-size=${semiSpace[role]}`,
  ...(oldSpace[role] === undefined ? [] : [`--initial-old-space-size=${oldSpace[role]}`]),
  '--disable-warning=ExperimentalWarning',
];
