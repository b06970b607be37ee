import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCrc32, createCrc32c, createCrc64Nvme } from './crc.ts';

/** Check values of "123456789" as the catalogue of CRC algorithms gives them. */
const known = [
  ['CRC-32/ISO-HDLC', createCrc32, 'cbf43926'],
  ['CRC-32/ISCSI (Castagnoli)', createCrc32c, 'e3069283'],
  ['CRC-64/NVME', createCrc64Nvme, 'ae8b14860a799888'],
] as const;

describe('checksums', () => {
  for (const [name, create, check] of known)
    it(`${name} has its known value, however the content is cut`, () => {
      const whole = create();
      whole.update(Buffer.from('123456789'));
      assert.equal(whole.digest().toString('hex'), check);
      for (let at = 0; at <= 9; at += 1) {
        const pieces = create();
        pieces.update(Buffer.from('123456789'.slice(0, at)));
        pieces.update(Buffer.from('123456789'.slice(at)));
        assert.equal(pieces.digest().toString('hex'), check);
      }
      const long = Buffer.from('123456789'.repeat(1000));
      const [one, many] = [create(), create()];
      one.update(long);
      for (const byte of long) many.update(Buffer.of(byte));
      assert.ok(one.digest().equals(many.digest()));
    });
});
