import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { Damaged } from './tar.ts';

/**
 * A backup under a passphrase: a line that says so, a salt, then chunks of AES-256-GCM, each with its length before and its tag
 * behind. The key is made of passphrase and salt by scrypt (128 MiB and a good part of a second for each guess), so it is good for one
 * file; the nonce is the number of the chunk and whether it is the last: chunks cannot be moved, left out or cut off unnoticed.
 */
export const encryptedMagic = Buffer.from('haic-backup encrypted 1 scrypt-17-8-1 aes-256-gcm\n');
const saltBytes = 16;
const tagBytes = 16;
const plainBytes = 64 * 1024;
const lastFlag = 0x8000_0000;

const keyOf = (passphrase: string, salt: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const cost = { N: 2 ** 17, r: 8, p: 1, maxmem: 192 * 1024 * 1024 };
    scrypt(passphrase.normalize('NFC'), salt, 32, cost, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });

function nonceOf(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(Math.floor(number / 2 ** 32), 0);
  nonce.writeUInt32BE(number >>> 0, 4);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** For `pipeline`. */
export const encrypting = (passphrase: string) =>
  async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const salt = randomBytes(saltBytes);
    const key = await keyOf(passphrase, salt);
    yield Buffer.concat([encryptedMagic, salt]);
    let number = 0;
    const sealed = (plain: Buffer, last: boolean) => {
      const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number, last), { authTagLength: tagBytes });
      cipher.setAAD(encryptedMagic);
      number += 1;
      const length = Buffer.alloc(4);
      length.writeUInt32BE((last ? lastFlag : 0) + plain.length);
      return Buffer.concat([length, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    };
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of source) {
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length > plainBytes; rest = rest.subarray(plainBytes))
        yield sealed(rest.subarray(0, plainBytes), false);
    }
    yield sealed(rest, true);
  };

/** The passphrase is another one, or the very beginning of the file was changed: the two cannot be told apart. */
export class WrongPassphrase extends Error {}

/** For `pipeline`, after the magic line was taken from the source. */
export const decrypting = (passphrase: string) =>
  async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let held: Buffer = Buffer.alloc(0);
    const chunks = source[Symbol.asyncIterator]();
    const take = async (wanted: number): Promise<Buffer> => {
      const parts: Buffer[] = [held];
      for (let length = held.length; length < wanted; ) {
        const { value, done } = await chunks.next();
        if (done === true) throw new Damaged('it ends too early');
        parts.push(value);
        length += value.length;
      }
      const all = parts.length === 1 ? held : Buffer.concat(parts);
      held = all.subarray(wanted);
      return all.subarray(0, wanted);
    };
    const key = await keyOf(passphrase, await take(saltBytes));
    for (let number = 0; ; number += 1) {
      const head = (await take(4)).readUInt32BE();
      const last = head >= lastFlag;
      const length = last ? head - lastFlag : head;
      if (length > plainBytes) throw new Damaged('a chunk has an impossible length');
      const text = await take(length);
      const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number, last), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(encryptedMagic);
      decipher.setAuthTag(await take(tagBytes));
      try {
        yield Buffer.concat([decipher.update(text), decipher.final()]);
      } catch (error) {
        if (number === 0) throw new WrongPassphrase('The passphrase does not open it.', { cause: error });
        throw new Damaged('it was changed');
      }
      if (!last) continue;
      if (held.length > 0 || (await chunks.next()).done !== true)
        throw new Damaged('something follows its end');
      return;
    }
  };
