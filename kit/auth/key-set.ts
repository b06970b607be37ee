import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose';
import { deadline } from '../deadline.ts';

/** Finds the key that a token's header names, among those that the issuer publishes. */
export type KeySource = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

export interface KeySetTimes {
  /** So old may what is known be: the longest that a key is believed after the issuer withdrew it. */
  readonly freshForMs: number;
  /** An unknown `kid` asks again, but not sooner than this after the last time: tokens are made up more cheaply than keys are fetched. */
  readonly askAgainAfterMs: number;
}

/** Haic's own issuer is asked over a socket of the same machine: a key that leaked is refused everywhere within seconds. */
export const ownIssuerTimes: KeySetTimes = { freshForMs: 3_000, askAgainAfterMs: 500 };
export const otherIssuerTimes: KeySetTimes = { freshForMs: 10 * 60_000, askAgainAfterMs: 30_000 };

const deadlineMs = 5_000;
/** Who knows keys already does not wait long for newer ones, and leaves an issuer that is away in peace for a moment. */
const refreshDeadlineMs = 1_000;
const retryAfterMs = 1_000;

/**
 * The published keys of an issuer. An issuer that cannot be reached withdraws nothing: what is known serves on, so that its restart stops
 * nobody; without anything known the failure is thrown.
 */
export function createKeySet(options: {
  url: string;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  times: KeySetTimes;
  /** Milliseconds; replaced in tests. */
  now?: () => number;
}): KeySource {
  const { url, times } = options;
  const now = options.now ?? Date.now;
  let known: { readonly find: KeySource; readonly at: number } | undefined;
  let asking: Promise<void> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;

  const ask = async (milliseconds: number): Promise<void> => {
    const at = now();
    try {
      known = { find: createLocalJWKSet(await fetchKeys(url, options.fetch, milliseconds)), at };
    } catch (error) {
      failedAt = now();
      throw error;
    }
  };
  /** One question at a time, however many tokens wait for the answer. */
  const askOnce = (milliseconds: number): Promise<void> => {
    asking ??= ask(milliseconds).finally(() => {
      asking = undefined;
    });
    return asking;
  };
  const refresh = (): Promise<void> => askOnce(refreshDeadlineMs).catch(() => undefined);

  return async (header, token) => {
    if (known === undefined) await askOnce(deadlineMs);
    else if (now() - known.at >= times.freshForMs && now() - failedAt >= retryAfterMs) await refresh();
    try {
      return await find(known, header, token);
    } catch (error) {
      const lately = now() - Math.max(known?.at ?? 0, failedAt) < times.askAgainAfterMs;
      if (!(error instanceof errors.JWKSNoMatchingKey) || lately) throw error;
      await refresh();
      return find(known, header, token);
    }
  };
}

async function find(
  known: { readonly find: KeySource } | undefined,
  header: JWSHeaderParameters,
  token: FlattenedJWSInput,
): Promise<CryptoKey> {
  if (known === undefined) throw new Error('its keys are not known');
  return known.find(header, token);
}

async function fetchKeys(
  url: string,
  ask: (url: string, init: RequestInit) => Promise<Response>,
  milliseconds: number,
): Promise<JSONWebKeySet> {
  const response = await ask(url, { redirect: 'error', signal: deadline(milliseconds) });
  if (!response.ok) throw new Error(`its keys answer ${response.status}`);
  const keys: unknown = await response.json();
  if (!isKeySet(keys)) throw new Error('its keys are no JSON Web Key Set');
  return keys;
}

const isKeySet = (value: unknown): value is JSONWebKeySet =>
  typeof value === 'object' && value !== null && Array.isArray(Reflect.get(value, 'keys'));
