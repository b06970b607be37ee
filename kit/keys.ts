import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/**
 * One master key per installation; every other key is derived from it with a label, so that a leaked key opens one thing only and
 * nothing but the master key has to be kept.
 */
export const masterKeyBytes = 32;

/** A 32-byte key of its own for each label (HKDF-SHA256, RFC 5869). The same master key and label give the same key for ever. */
export function deriveKey(masterKey: Buffer, label: string): Buffer {
  if (masterKey.length < masterKeyBytes)
    throw new Error(`The master key has ${masterKey.length} bytes; it needs at least ${masterKeyBytes}.`);
  return Buffer.from(hkdfSync('sha256', masterKey, Buffer.alloc(0), `haic:${label}`, 32));
}

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts with AES-256-GCM. `context` is authenticated but not stored (say, the row's id): what was sealed for one place cannot be
 * moved to another. Layout: version (1 byte), nonce (12), tag (16), ciphertext.
 */
export function seal(key: Buffer, plain: Buffer | string, context = ''): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(context));
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.of(version), nonce, cipher.getAuthTag(), text]);
}

/** Opens what `seal` made; throws when the key or the context is another one, or a byte was changed. */
export function open(key: Buffer, sealed: Uint8Array, context = ''): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < 1 + nonceBytes + tagBytes || bytes[0] !== version)
    throw new Error('This is not a sealed value.');
  const nonce = bytes.subarray(1, 1 + nonceBytes);
  const tag = bytes.subarray(1 + nonceBytes, 1 + nonceBytes + tagBytes);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(tag);
  return Buffer.concat([decipher.update(bytes.subarray(1 + nonceBytes + tagBytes)), decipher.final()]);
}
