import { createHash } from 'node:crypto';
import type { EventType } from './model.ts';

/** The texts of an event that can be searched for, by their names in the API. */
export const textFields = [
  'resource',
  'principal',
  'sourceIpAddress',
  'workspace',
  'action',
  'eventSource',
] as const;
export type TextField = (typeof textFields)[number];

/** What is given has to match, all of it. */
export interface Filter {
  /** Microseconds since the epoch; inclusive. */
  readonly start: bigint;
  /** Exclusive. */
  readonly end: bigint;
  readonly exact: Readonly<Partial<Record<TextField, string>>>;
  /** Of `statusCode` the decimal code, empty for an event without a status. */
  readonly regex: Readonly<Partial<Record<TextField | 'statusCode', string>>>;
  readonly readOnly: boolean | undefined;
  readonly metadataExact: Readonly<Record<string, string>>;
  readonly metadataRegex: Readonly<Record<string, string>>;
  readonly includeTypes: readonly EventType[];
  readonly excludeTypes: readonly EventType[];
}

/** 2025-07-01T00:00:00Z: nothing was recorded before that. */
export const usualStart = 1_751_328_000_000_000n;

/** By which a page token knows the search that it belongs to. The end is left out: it is now, unless it is said, and pages go back from there. */
export const digestOf = ({ end: _, ...filter }: Filter): string =>
  createHash('sha256')
    .update(
      JSON.stringify(filter, (_key, value) => (typeof value === 'bigint' ? value.toString() : sorted(value))),
    )
    .digest('hex')
    .slice(0, 16);

const sorted = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
