import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { answerTo } from './dns.ts';

/** A query as a resolver sends it. */
function query(name: string, type = 1): Buffer {
  const header = Buffer.from([0xab, 0xcd, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.concat([header, Buffer.from([...labels, 0, 0, type, 0, 1])]);
}
const known = async (name: string) => (name === 'app.space.svc.cluster.local' ? '10.96.1.2' : undefined);

describe('the names of a test cluster', () => {
  it('are answered with an address, under the id and the question that were sent', async () => {
    const asked = query('App.space.svc.cluster.local');
    const answer = await answerTo(asked, known);
    assert.ok(answer);
    assert.equal(answer.readUInt16BE(0), 0xabcd);
    assert.equal(answer.readUInt16BE(2) & 0x800f, 0x8000);
    assert.deepEqual(answer.subarray(12, asked.length), asked.subarray(12));
    assert.deepEqual([...answer.subarray(-4)], [10, 96, 1, 2]);
  });

  it('have no IPv6 address, which is not the same as not to be', async () => {
    const answer = await answerTo(query('app.space.svc.cluster.local', 28), known);
    assert.deepEqual(
      [answer?.readUInt16BE(2) ?? 0, answer?.readUInt16BE(6)].map((n) => (n ?? 0) & 0xf),
      [0, 0],
    );
    const other = await answerTo(query('other.space.svc.cluster.local', 28), known);
    assert.equal((other?.readUInt16BE(2) ?? 0) & 0xf, 3);
  });

  it('are asked for in sense, or not answered', async () => {
    for (let length = 0; length < 200; length += 1) {
      const nonsense = randomBytes(length);
      const answer = await answerTo(nonsense, known);
      assert.ok(answer === undefined || answer.length >= 17);
    }
    const whole = query('app.space.svc.cluster.local');
    for (let length = 0; length < whole.length; length += 1)
      assert.equal(await answerTo(whole.subarray(0, length), known), undefined);
  });
});
