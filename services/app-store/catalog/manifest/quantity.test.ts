import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseQuantity, parseTimeout } from './quantity.ts';
import { versionOrder } from './version-order.ts';

describe('quantities of Kubernetes', () => {
  const known: [string, number][] = [
    ['0', 0],
    ['1', 1],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['2.', 2],
    ['+3', 3],
    ['500m', 0.5],
    ['1k', 1000],
    ['1K', 1000],
    ['2M', 2e6],
    ['500Mi', 500 * 2 ** 20],
    ['2Gi', 2 ** 31],
    ['1Ti', 2 ** 40],
    ['1E', 1e18],
    ['1e3', 1000],
    ['12E2', 1200],
    ['1e-3', 0.001],
  ];
  for (const [text, value] of known) it(`reads ${text}`, () => assert.equal(parseQuantity(text), value));

  for (const text of [
    '',
    '-1',
    '1 Gi',
    'Gi',
    '1gi',
    '1GiB',
    '1e99Gi',
    '1e9999',
    '0x10',
    'NaN',
    'Infinity',
    '1,5',
    '--1',
    '1'.repeat(30),
    '1m1',
  ])
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseQuantity(text), undefined));
});

describe('timeouts', () => {
  it('are hours, minutes and seconds, or never', () => {
    assert.equal(parseTimeout('90s'), 90);
    assert.equal(parseTimeout('1h30m'), 5400);
    assert.equal(parseTimeout('1.5h'), 5400);
    assert.equal(parseTimeout('-1'), 'never');
    for (const text of ['', '0s', '-5m', '1d', '5', 'h', '999999999h', '1h 30m'])
      assert.equal(parseTimeout(text), undefined);
  });
});

describe('the order of versions', () => {
  it('is that of semver, and a sensible one for the rest', () => {
    const ascending = [
      '0.9',
      '0.10',
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0',
      '1.0.0.1',
      '1.0.1',
      '1.2',
      '1.10',
      '2024.1',
      '2024.10',
      '10000000000000000000000',
    ];
    const shuffled = ascending.toReversed().sort((a, b) => (versionOrder(a) < versionOrder(b) ? -1 : 1));
    assert.deepEqual(shuffled, ascending);
    assert.equal(versionOrder('1.0'), versionOrder('1.0.0'));
    assert.equal(versionOrder('v1.2'), versionOrder('1.02.0'));
  });
});
