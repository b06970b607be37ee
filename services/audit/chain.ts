import { createHmac, timingSafeEqual } from 'node:crypto';
import { deriveKey } from '@haic/kit/keys.ts';
import type { AuditEvent } from './model.ts';

/** A place in the trail, with the hash of the event that is there. */
export interface Link {
  readonly seq: number;
  readonly hash: Buffer;
}

/** Head, base and checkpoint are signed each as what they are: none of them can stand in for another. */
export type Mark = 'head' | 'base' | 'checkpoint' | 'witness';

/**
 * The links between events. Each hash covers its event, its place and the hash before, and is made with a key that is not in the database: who can
 * write there can break the chain, but not make another.
 */
export interface Chain {
  /** Before the first event. */
  readonly genesis: Link;
  hashOf(event: AuditEvent, before: Buffer): Buffer;
  sign(mark: Mark, link: Link): Buffer;
  isSigned(mark: Mark, link: Link, mac: Uint8Array): boolean;
}

export function createChain(masterKey: Buffer): Chain {
  const key = deriveKey(masterKey, 'audit:chain');
  const mac = (parts: readonly unknown[]) => createHmac('sha256', key).update(JSON.stringify(parts)).digest();
  const sign: Chain['sign'] = (mark, { seq, hash }) => mac([mark, seq, hash.toString('hex')]);
  return {
    genesis: { seq: 0, hash: mac(['genesis']) },
    hashOf: (event, before) => mac(['event', 1, before.toString('hex'), ...contentOf(event)]),
    sign,
    isSigned: (mark, link, given) => equal(sign(mark, link), given),
  };
}

export const equal = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other);

/** All that an event is, in one fixed order: texts and numbers, which JSON writes in one way only. */
const contentOf = (event: AuditEvent): readonly unknown[] => [
  event.seq,
  event.receiveTime.toString(),
  ...toldOf(event),
];

type Told = Omit<AuditEvent, 'seq' | 'receiveTime'>;

const toldOf = (event: Told): readonly unknown[] => [
  event.id,
  event.eventTime.toString(),
  event.source,
  event.action,
  event.readOnly,
  event.status === undefined ? null : [event.status.code, event.status.message],
  event.principal,
  event.sourceAddress,
  event.resource,
  sorted(event.requestParameters),
  event.userAgent,
  sorted(event.metadata),
  event.workspace,
  event.type,
];

const sorted = (map: Readonly<Record<string, string>>): readonly (readonly [string, string])[] =>
  Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));

/** Whether two say the same, whenever they were received. */
export const isSameEvent = (one: Told, other: Told): boolean =>
  JSON.stringify(toldOf(one)) === JSON.stringify(toldOf(other));
