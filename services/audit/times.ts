import { create } from '@bufbuild/protobuf';
import { type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';

/** Microseconds since the epoch are what the trail keeps: clients send no more, and PostgreSQL has no more. */
export const microsecondsOf = ({ seconds, nanos }: Timestamp): bigint =>
  seconds * 1_000_000n + BigInt(Math.trunc(nanos / 1000));

export function timestampOf(microseconds: bigint): Timestamp {
  const rest = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  return create(TimestampSchema, { seconds: (microseconds - rest) / 1_000_000n, nanos: Number(rest) * 1000 });
}

export const microsecondsOfDate = (date: Date): bigint => BigInt(date.getTime()) * 1000n;

/** As RFC 3339 in UTC, with as many digits as there are. */
export function isoOf(microseconds: bigint): string {
  const rest = ((microseconds % 1000n) + 1000n) % 1000n;
  const text = new Date(Number((microseconds - rest) / 1000n)).toISOString();
  return rest === 0n ? text : text.replace('Z', `${rest.toString().padStart(3, '0')}Z`);
}
