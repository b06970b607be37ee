import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { maximumPasswordLength } from './model.ts';

const argon2Async = promisify(argon2);

/**
 * Hashing runs on the threads that files and name look-ups need too, so at most two at a time, whatever comes in; the rest queues.
 */
const atOnce = 2;
let running = 0;
const waiting: (() => void)[] = [];

async function derive(...parameters: Parameters<typeof argon2Async>) {
  if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    return await argon2Async(...parameters);
  } finally {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}

/** OWASP's argon2id setting with little memory (the one that Keycloak uses): m=7 MiB, t=5, p=1. */
const cost = { memory: 7168, passes: 5, parallelism: 1, tagLength: 32 } as const;

/** Hashes to a PHC string: `$argon2id$v=19$m=7168,t=5,p=1$<salt>$<hash>`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive('argon2id', { ...cost, message: messageOf(password), nonce: salt });
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${encode(salt)}$${encode(hash)}`;
}

/**
 * Compares in constant time. A wrong person costs as much as a wrong password (pass `undefined`), and a very long password no more
 * than a usual one, so that neither shows from outside nor burns the processor.
 */
export async function verifyPassword(password: string, phc: string | undefined): Promise<boolean> {
  const stored = parse(phc ?? unknownPerson);
  const tooLong = password.length > maximumPasswordLength;
  const hash = await derive('argon2id', {
    memory: stored.memory,
    passes: stored.passes,
    parallelism: stored.parallelism,
    tagLength: stored.hash.length,
    message: messageOf(tooLong ? '' : password),
    nonce: stored.salt,
  });
  return timingSafeEqual(hash, stored.hash) && !tooLong && phc !== undefined;
}

/** Readable and without look-alikes: 4 groups of 5 out of 31 signs, 99 bits. */
export function generatePassword(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
  const signs: string[] = [];
  while (signs.length < 20) {
    for (const byte of randomBytes(32)) {
      const sign = byte < alphabet.length * 8 ? alphabet[byte % alphabet.length] : undefined;
      if (sign !== undefined && signs.length < 20) signs.push(sign);
    }
  }
  return [0, 5, 10, 15].map((start) => signs.slice(start, start + 5).join('')).join('-');
}

/** The same password typed on another keyboard or system can be another sequence of code points. */
const messageOf = (password: string) => Buffer.from(password.normalize('NFKC'));
const encode = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '');

const unknownPerson = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${encode(randomBytes(16))}$${encode(randomBytes(32))}`;

function parse(phc: string) {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(phc);
  if (match === null) throw new Error('A stored password hash has an unknown form.');
  const [, memory, passes, parallelism, salt, hash] = match;
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt ?? '', 'base64'),
    hash: Buffer.from(hash ?? '', 'base64'),
  };
}
