import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { csvCell } from './export.ts';
import { event, idOf, service, startTestAudit, type TestAudit } from './testing.ts';

describe('an export', () => {
  let trail: TestAudit;
  before(async () => {
    trail = await startTestAudit();
    trail.audit.register(trail.server);
    const requests = Array.from({ length: 2500 }, (_, n) => ({
      eventId: randomUUID(),
      event: event({
        userAgent: n === 0 ? '=cmd|"/c calc"!A0' : `agent ${n}`,
        ...(n % 2 === 0 ? { status: { code: 7, message: 'no, "never"\nreally' } } : {}),
      }),
    }));
    for (let from = 0; from < requests.length; from += 1000)
      await trail.call(service, '/v1/events:batchCreate', { requests: requests.slice(from, from + 1000) });
  });
  after(() => trail.stop());
  const get = (query: string, token = 'admin@haic-portal', at = '/api/v1/audit-events/export') =>
    trail.server.inject({ url: `${at}?${query}`, headers: { authorization: `Bearer ${token}` } });

  it('is all that matches, as lines of JSON', async () => {
    const answer = await get('format=ndjson');
    assert.equal(answer.headers['content-type'], 'application/x-ndjson');
    const events = answer.body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(events.length, 2500);
    assert.equal(new Set(events.map(({ name }) => name)).size, 2500);
    assert.equal(events[0].loginPrincipal, 'ada');
    const failed = await get(`format=ndjson&filter=${encodeURIComponent('{"statusCodeRegex":"7"}')}`);
    assert.equal(failed.body.trim().split('\n').length, 1250);
  });

  it('is a table that no spreadsheet computes', async () => {
    const { body, headers } = await get('format=csv');
    assert.match(String(headers['content-disposition']), /filename="audit-trail.csv"/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.ok(body.includes(`"'=cmd|""/c calc""!A0"`));
    assert.ok(body.includes('"no, ""never""\nreally"'));
    for (const [text, cell] of [
      ['plain', 'plain'],
      ['=1+1', `"'=1+1"`],
      ['+1', `"'+1"`],
      ['-1', `"'-1"`],
      ['@SUM(1)', `"'@SUM(1)"`],
      ['\t=1', `"'\t=1"`],
      [' =1', `"' =1"`],
      ['a,b', '"a,b"'],
      ["it's", `"it's"`],
    ] as const)
      assert.equal(csvCell(text), cell);
  });

  it('is for those who may search so, and is refused before it begins', async () => {
    assert.equal((await get('format=csv', 'ada@haic-portal')).statusCode, 403);
    const own = encodeURIComponent(JSON.stringify({ principalExact: `users/${idOf('ada')}` }));
    assert.equal((await get(`format=csv&filter=${own}`, 'ada@haic-portal')).statusCode, 200);
    assert.equal((await get('format=csv', 'admin@haic-app-1')).statusCode, 403);
    const internal = '/internal/audit/export';
    assert.equal((await get('format=csv', 'admin@haic-portal', internal)).statusCode, 403);
    assert.equal((await get('format=csv', 'operator@haic-service-operator', internal)).statusCode, 200);
    for (const filter of [
      '{',
      '[]',
      '7',
      '{"actionRegex":"("}',
      '{"startEventTime":"x"}',
      '{"includeTypes":["X"]}',
    ])
      assert.equal((await get(`format=csv&filter=${encodeURIComponent(filter)}`)).statusCode, 400, filter);
    assert.equal((await get('format=xml')).statusCode, 400);
  });
});
