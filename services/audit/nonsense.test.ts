import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { compileExpression } from './expression.ts';
import { likeOf } from './literal.ts';
import { checkEvent, type ToldEvent } from './model.ts';
import { redacted } from './source-address.ts';
import { event, service, startTestAudit, type TestAudit } from './testing.ts';
import { isoOf, microsecondsOf, timestampOf } from './times.ts';
import { verifyTrail } from './verify.ts';

const runs = process.env.HAIC_TEST_SIZE === 'full' ? 10_000 : 200;
const anything = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.constant('__proto__'),
  fc.double(),
);

describe('nonsense', () => {
  let trail: TestAudit;
  before(async () => {
    trail = await startTestAudit();
  });
  after(() => trail.stop());
  const isClear = (status: number, of: unknown) =>
    assert.ok(status === 200 || (status >= 400 && status < 500), `${status} for ${JSON.stringify(of)}`);

  it('for an event is refused clearly, or kept as it is and verifiable', async () => {
    const names = [
      ...Object.keys(event()),
      'status',
      'workspaceOverride',
      'name',
      'receiveTime',
      '__proto__',
    ];
    const changes = fc.dictionary(fc.constantFrom(...names), anything, { maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(changes, async (change) => {
        const { status } = await trail.create({ ...event(), ...change });
        isClear(status, change);
      }),
      { numRuns: runs },
    );
    const texts = fc.string({ unit: 'binary', maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(texts, texts, async (userAgent, value) => {
        const { status, body } = await trail.create(event({ userAgent, requestParameters: { value } }));
        isClear(status, [userAgent, value]);
        if (status === 200) {
          assert.equal(body.event.userAgent, userAgent);
          assert.equal(body.event.requestParameters.value, value);
        }
      }),
      { numRuns: runs },
    );
    const { database, chain, witness } = trail;
    const signal = AbortSignal.timeout(60_000);
    assert.equal((await verifyTrail({ database, chain, witness, signal })).broken, undefined);
  });

  it('for a search or a batch is refused clearly', async () => {
    const names = [
      'startEventTime',
      'endEventTime',
      'actionRegex',
      'actionExact',
      'readOnly',
      'metadataExact',
      'metadataRegex',
      'includeTypes',
      'statusCodeRegex',
    ];
    const filters = fc.dictionary(fc.constantFrom(...names), anything, { maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(filters, anything, anything, async (filter, pageSize, pageToken) => {
        isClear((await trail.search(filter, { pageSize, pageToken })).status, [filter, pageSize, pageToken]);
      }),
      { numRuns: runs },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(anything, fc.record({ eventId: anything, event: anything }))),
        async (requests) => {
          isClear((await trail.call(service, '/v1/events:batchCreate', { requests })).status, requests);
        },
      ),
      { numRuns: runs },
    );
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (body) => {
        isClear((await trail.call(service, `/v1/events?eventId=${randomUUID()}`, body)).status, body);
      }),
      { numRuns: runs },
    );
  });

  it('for an expression is refused or matched at once, whatever it is and whatever it looks at', () => {
    const hostile = ['(a+)+$', '(a|a)*b', '(.*)*x', '(\\pL{1,500}){2}', '((a{100}){10}){1}', '(x+x+)+y'];
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...hostile)), (source) => {
        try {
          compileExpression('x', source)('a'.repeat(2000));
        } catch (error) {
          assert.equal((error as { status?: number }).status, 400);
        }
      }),
      { numRuns: runs },
    );
  });

  it('for a part of a text sorts out nothing that matches', () => {
    const like = (pattern: string, text: string) =>
      new RegExp(
        `^${pattern.replace(/\\?./gs, (sign) =>
          sign === '%'
            ? '.*'
            : sign === '_'
              ? '.'
              : (sign.at(-1) ?? '').replace(/[\\^$.*+?()[\]{}|]/, '\\$&'),
        )}$`,
        'is',
      ).test(text);
    const texts = fc.string({
      unit: fc.constantFrom('a', 'K', 's', '\u212a', '\u017f', '%', '_', '.', '/', '\u00e4', ' '),
    });
    fc.assert(
      fc.property(texts, texts, fc.boolean(), (text, part, ignoresCase) => {
        const source = `${ignoresCase ? '(?i)' : ''}${part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}`;
        const pattern = likeOf(source);
        if (part === '') return assert.equal(pattern, undefined);
        assert.ok(pattern !== undefined, source);
        if (compileExpression('x', source)(text)) assert.ok(like(pattern, text), `${pattern} for ${text}`);
      }),
      { numRuns: runs * 5 },
    );
    for (const other of ['a.b', '^a', 'a$', 'a|b', 'a*', '\\d', '(?i)[a]', '(a)', '\\pL', '\\Qa\\E', '(?s)a'])
      assert.equal(likeOf(other), undefined, other);
  });

  it('for an address, an event or a time breaks nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.ipV4(), fc.ipV6()), (address) => {
        const kept = redacted(address);
        if (kept !== undefined) assert.equal(redacted(kept), kept, address);
      }),
      { numRuns: runs * 5 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (resource, principal) => {
        const told: ToldEvent = {
          ...{
            id: randomUUID(),
            eventTime: 0n,
            source: 's',
            action: 'a',
            readOnly: false,
            status: undefined,
          },
          ...{ principal, sourceAddress: '', resource, requestParameters: {}, userAgent: '', metadata: {} },
          ...{ workspaceOverride: undefined, type: 'api' },
        };
        try {
          checkEvent(told);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'invalid_event');
        }
      }),
      { numRuns: runs * 5 },
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }), (time) => {
        assert.equal(microsecondsOf(timestampOf(time)), time);
        assert.match(isoOf(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(\d{3})?Z$/);
      }),
    );
  });
});
