import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { event, idOf, service, startTestAudit, type TestAudit } from './testing.ts';

const base = '2026-05-01T12:00:00.000005Z';

describe('the audit trail over HTTP and JSON', () => {
  let trail: TestAudit;
  before(async () => {
    trail = await startTestAudit();
  });
  after(() => trail.stop());

  it('keeps an event and gives it back, with everything that the client needs', async () => {
    const id = randomUUID();
    const told = event({ eventTime: base, requestParameters: { size: 'big' }, metadata: { stage: 'one' } });
    const { status, body } = await trail.create(told, id);
    assert.equal(status, 200);
    const { receiveTime, ...rest } = body.event;
    assert.match(receiveTime, /^\d{4}-/);
    assert.deepEqual(rest, {
      ...told,
      name: `events/${id}`,
      loginPrincipal: 'ada',
      workspace: 'workspaces/w1',
    });
  });

  it('keeps what may be at its longest, and what is told by a service or of no type', async () => {
    for (const told of [
      event({ metadata: { [`a${'_'.repeat(61)}z`]: '1', b: '2' } }),
      event({ principal: 'services/router', type: 'TYPE_SYSTEM' }),
      event({ type: 'TYPE_UNSPECIFIED', readOnly: true, status: { code: 16, message: 'no' } }),
    ]) {
      const { body } = await trail.create({ ...told, loginPrincipal: 'eve', name: 'events/x' });
      const { principal, type, readOnly, status, metadata, loginPrincipal } = body.event;
      assert.deepEqual(
        { principal, type, readOnly, status, metadata },
        {
          ...{ principal: told.principal, type: told.type, readOnly: told.readOnly },
          ...{ status: 'status' in told ? told.status : undefined, metadata: told.metadata },
        },
      );
      assert.notEqual(loginPrincipal, 'eve', 'who it was is looked up');
    }
  });

  it('takes the same event again for the same, and another one under its id for a mistake', async () => {
    const id = randomUUID();
    const first = await trail.create(event({ eventTime: base }), id);
    const again = await trail.create(event({ eventTime: base }), id);
    assert.deepEqual(again, first);
    const other = await trail.create(event({ eventTime: base, userAgent: 'other' }), id);
    assert.equal(other.status, 409);
    assert.equal(other.body.code, 6);
  });

  it('reads times without an offset as UTC, and any offset', async () => {
    for (const [sent, kept] of [
      ['2026-01-01T12:30:01.000005', '2026-01-01T12:30:01.000005Z'],
      ['2026-01-01T12:30:01+02:00', '2026-01-01T10:30:01Z'],
      ['2026-01-01T12:30:01.123456789Z', '2026-01-01T12:30:01.123456Z'],
      ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
      ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
    ])
      assert.equal((await trail.create(event({ eventTime: sent }))).body.event.eventTime, kept);
  });

  it('refuses what is no event, and says what is wrong with it', async () => {
    for (const [changes, word] of [
      [{ eventTime: null }, 'eventTime'],
      [{ eventSource: '' }, 'eventSource'],
      [{ action: '' }, 'action'],
      [{ action: 'actions/audittrail/trails/RESTORE' }, 'only the trail'],
      [{ principal: 'ada' }, 'principal'],
      [{ principal: '' }, 'principal'],
      [{ sourceIpAddress: 'somewhere' }, 'sourceIpAddress'],
      [{ resource: 'things/1' }, 'resource'],
      [{ resource: '//test/workspaces/default/things/1' }, 'alias'],
      [{ resource: '//test/workspaces/global/things/1' }, 'alias'],
      [{ resource: '//test/workspaces/-/things' }, 'alias'],
      [{ resource: '//test/workspaces/me' }, 'alias'],
      [{ metadata: { Bad: '1' } }, 'metadata'],
      [{ metadata: { '1st': '1' } }, 'metadata'],
      [{ metadata: { _first: '1' } }, 'metadata'],
      [{ metadata: { bad_: '1' } }, 'metadata'],
      [{ metadata: { ['a'.repeat(64)]: '1' } }, 'metadata'],
      [{ userAgent: 'a\0b' }, 'userAgent'],
      [{ userAgent: 'a'.repeat(1025) }, 'userAgent'],
      [{ workspaceOverride: 'w1' }, 'workspaceOverride'],
      [{ type: 'TYPE_OTHER' }, 'type'],
    ] as const) {
      const { status, body } = await trail.create(event(changes));
      assert.equal(status, 400, JSON.stringify(changes));
      assert.equal(body.code, 3);
      assert.match(body.message, new RegExp(word));
    }
    for (const id of ['', 'x', '6ba7b810-9dad-11d1-80b4-00c04fd430c8'])
      assert.equal((await trail.create(event(), id)).status, 400, id);
  });

  it('blackens private addresses, however they are written', async () => {
    for (const [sent, kept] of [
      ['203.0.113.7', '203.0.113.7'],
      ['2001:DB8:0:0::1', '2001:db8::1'],
      ['::ffff:203.0.113.7', '203.0.113.7'],
      ['::ffff:cb00:7107', '203.0.113.7'],
      ['private', 'private'],
      ['10.1.2.3', 'private'],
      ['127.0.0.1', 'private'],
      ['172.31.255.255', 'private'],
      ['192.168.0.1', 'private'],
      ['100.64.0.1', 'private'],
      ['169.254.169.254', 'private'],
      ['::1', 'private'],
      ['::ffff:10.0.0.1', 'private'],
      ['::ffff:a00:1', 'private'],
      ['fd00::1', 'private'],
      ['fe80::1', 'private'],
    ])
      assert.equal(
        (await trail.create(event({ sourceIpAddress: sent }))).body.event.sourceIpAddress,
        kept,
        sent,
      );
  });

  it('knows the workspace of an event by its resource, or as it is overridden, with nothing too', async () => {
    const workspaceOf = async (changes: Readonly<Record<string, unknown>>) =>
      (await trail.create(event(changes))).body.event.workspace;
    assert.equal(await workspaceOf({}), 'workspaces/w1');
    assert.equal(await workspaceOf({ workspaceOverride: null }), 'workspaces/w1');
    assert.equal(await workspaceOf({ workspaceOverride: 'workspaces/w2' }), 'workspaces/w2');
    assert.equal(await workspaceOf({ workspaceOverride: '' }), '');
    assert.equal(await workspaceOf({ resource: '//test/things' }), '');
    assert.equal(await workspaceOf({ resource: '' }), '');
  });

  it('makes what is good of a batch, and says of the rest why not; both keys are always there', async () => {
    const id = randomUUID();
    const { body } = await trail.call(service, '/v1/events:batchCreate', {
      requests: [
        { eventId: id, event: event() },
        { eventId: id, event: event() },
        { eventId: 'x', event: event() },
        { eventId: id, event: event({ userAgent: 'other' }) },
        { eventId: randomUUID() },
        { eventId: randomUUID(), event: event() },
      ],
    });
    assert.equal(body.events.length, 3);
    assert.deepEqual(
      Object.entries(body.failedRequests).map(([index, failure]) => [
        index,
        (failure as { code: number }).code,
        (failure as { details: unknown[] }).details,
      ]),
      [
        ['2', 3, []],
        ['3', 6, []],
        ['4', 3, []],
      ],
    );
    const empty = await trail.call(service, '/v1/events:batchCreate', { requests: [] });
    assert.deepEqual(empty.body, { events: [], failedRequests: {} });
    const many = Array.from({ length: 1001 }, () => ({ eventId: randomUUID(), event: event() }));
    assert.equal((await trail.call(service, '/v1/events:batchCreate', { requests: many })).status, 400);
    const most = await trail.call(service, '/v1/events:batchCreate', { requests: many.slice(1) });
    assert.equal(most.body.events.length, 1000);
  });
});

describe('searching the audit trail', () => {
  let trail: TestAudit;
  /** Of all pages: one is short where the machine is busy. */
  const names = async (filter: object) => {
    const found: string[] = [];
    let pageToken = '';
    do {
      const { status, body } = await trail.search(filter, { pageToken });
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(typeof body.nextPageToken, 'string');
      found.push(...body.events.map(({ userAgent }: { userAgent: string }) => userAgent));
      pageToken = body.nextPageToken;
    } while (pageToken !== '');
    return found;
  };
  before(async () => {
    trail = await startTestAudit();
    const at = (second: number) => `2026-05-01T12:00:0${second}Z`;
    for (const [name, changes] of Object.entries({
      one: { eventTime: at(1), eventSource: 'haic-one', readOnly: true, type: 'TYPE_SYSTEM' },
      two: { eventTime: at(2), action: 'actions/test/things/DELETE', status: { code: 7, message: 'no' } },
      three: { eventTime: at(3), principal: 'services/router', metadata: { stage: 'a', color: 'red' } },
      four: { eventTime: at(4), resource: '//test/workspaces/w2/things/1', metadata: { stage: 'ab' } },
      five: { eventTime: at(5), sourceIpAddress: '10.0.0.1', status: { code: 16, message: '' } },
    }))
      assert.equal((await trail.create(event({ ...changes, userAgent: name }))).status, 200);
  });
  after(() => trail.stop());

  it('goes back in time', async () => {
    assert.deepEqual(await names({}), ['five', 'four', 'three', 'two', 'one']);
  });

  it('takes null, empty maps and empty lists for what is not set', async () => {
    const nothing = Object.fromEntries(
      [
        ...['startEventTime', 'endEventTime', 'readOnly', 'statusCodeRegex'],
        ...['eventSource', 'resource', 'principal', 'sourceIpAddress', 'workspace', 'action'].flatMap(
          (name) => [`${name}Exact`, `${name}Regex`],
        ),
      ].map((name) => [name, null]),
    );
    const filter = { ...nothing, metadataExact: {}, metadataRegex: {}, includeTypes: [], excludeTypes: [] };
    assert.equal((await names(filter)).length, 5);
  });

  for (const [filter, found] of [
    [{ startEventTime: '2026-05-01T12:00:02Z', endEventTime: '2026-05-01T12:00:04Z' }, ['three', 'two']],
    [{ startEventTime: '2026-05-01T12:00:05' }, ['five']],
    [{ eventSourceExact: 'haic-one' }, ['one']],
    [{ eventSourceRegex: 'one$' }, ['one']],
    [{ resourceExact: '//test/workspaces/w2/things/1' }, ['four']],
    [{ resourceRegex: '/w[2-9]/' }, ['four']],
    [{ readOnly: true }, ['one']],
    [{ readOnly: false }, ['five', 'four', 'three', 'two']],
    [{ statusCodeRegex: '^(7|16)$' }, ['five', 'two']],
    [{ statusCodeRegex: '^$' }, ['four', 'three', 'one']],
    [{ statusCodeRegex: '' }, ['five', 'four', 'three', 'two', 'one']],
    [{ principalExact: 'services/router' }, ['three']],
    [{ principalRegex: '^services/' }, ['three']],
    [{ sourceIpAddressExact: 'private' }, ['five']],
    [{ sourceIpAddressRegex: '^203\\.' }, ['four', 'three', 'two', 'one']],
    [{ metadataExact: { stage: 'a' } }, ['three']],
    [{ metadataExact: { stage: 'a', color: 'blue' } }, []],
    [{ metadataRegex: { stage: 'a' } }, ['four', 'three']],
    [{ metadataRegex: { stage: '^a$', color: 'r' } }, ['three']],
    [{ metadataRegex: { stage: 'a', color: 'blue' } }, []],
    [{ metadataRegex: { missing: '^$' } }, []],
    [{ workspaceExact: 'workspaces/w2' }, ['four']],
    [{ workspaceExact: '' }, []],
    [{ workspaceRegex: 'w1' }, ['five', 'three', 'two', 'one']],
    [{ actionExact: 'actions/test/things/DELETE' }, ['two']],
    [{ actionRegex: 'DEL' }, ['two']],
    [{ actionRegex: 'DEL.TE$', principalRegex: '^users/.' }, ['two']],
    [{ actionRegex: 'DEL.TE$', principalRegex: '^services/.' }, []],
    [{ includeTypes: ['TYPE_SYSTEM'] }, ['one']],
    [{ excludeTypes: ['TYPE_SYSTEM'] }, ['five', 'four', 'three', 'two']],
    [{ includeTypes: ['TYPE_SYSTEM', 'TYPE_API'], excludeTypes: ['TYPE_API'] }, ['one']],
    [{ actionExact: 'actions/test/things/DELETE', principalExact: 'services/router' }, []],
    [{ resourceExact: "'; drop table audit.events; --" }, []],
  ] as const)
    it(`finds ${found.length === 0 ? 'nothing' : found.join(', ')} by ${JSON.stringify(filter)}`, async () => {
      assert.deepEqual(await names(filter), found);
    });

  it('gives pages that leave nothing out and end with an empty token', async () => {
    const seen: string[] = [];
    let pageToken = '';
    do {
      const { body } = await trail.search({ readOnly: null }, { pageSize: 2, pageToken });
      assert.ok(body.events.length <= 2);
      assert.match(body.searchedUntilTime, /^202/);
      assert.equal(typeof body.nextPageToken, 'string');
      seen.push(...body.events.map((found: { userAgent: string }) => found.userAgent));
      pageToken = body.nextPageToken;
    } while (pageToken !== '');
    assert.deepEqual(seen, ['five', 'four', 'three', 'two', 'one']);
  });

  it('refuses sizes, tokens, times and expressions that are none', async () => {
    const { body } = await trail.search({}, { pageSize: 1 });
    for (const [filter, page] of [
      [{}, { pageSize: -1 }],
      [{}, { pageToken: 'x' }],
      [{ readOnly: true }, { pageToken: body.nextPageToken }],
      [{ startEventTime: '2026-05-02T00:00:00Z', endEventTime: '2026-05-01T00:00:00Z' }, {}],
      [{ startEventTime: 'yesterday' }, {}],
      [{ includeTypes: ['TYPE_OTHER'] }, {}],
      [{ actionRegex: '(' }, {}],
      [{ actionRegex: 'a'.repeat(1001) }, {}],
      [{ metadataRegex: { stage: '(?=a)' } }, {}],
    ] as const)
      assert.equal((await trail.search(filter, page)).status, 400, JSON.stringify([filter, page]));
    for (const actionRegex of ['(?=a)b', '(?<!a)b', '(a)\\1', 'a++']) {
      const refused = await trail.search({ actionRegex });
      assert.match(refused.body.message, /lookaround, backreferences/, actionRegex);
    }
  });
});

describe('a search that does not say', () => {
  let trail: TestAudit;
  before(async () => {
    trail = await startTestAudit({
      now: () => Date.parse('2026-05-02T00:00:00Z'),
      effort: { milliseconds: 60_000, events: 15_000, matched: 3_000 },
    });
  });
  after(() => trail.stop());

  it('from when until when looks from July 2025 until now', async () => {
    const times = [
      ...['2025-06-30T23:59:59.999999Z', '2025-07-01T00:00:00Z', '2026-05-01T23:59:59.999999Z'],
      ...['2026-05-02T00:00:00Z', '2026-08-01T00:00:00Z'],
    ];
    for (const eventTime of times) {
      const { body } = await trail.create(event({ eventTime }));
      assert.equal(body.event.receiveTime, '2026-05-02T00:00:00Z');
    }
    const found = async (filter: object) =>
      (await trail.search(filter)).body.events.map(({ eventTime }: { eventTime: string }) => eventTime);
    assert.deepEqual(await found({}), [times[2], times[1]]);
    assert.deepEqual(await found({ startEventTime: '2025-01-01T00:00:00Z' }), times.slice(0, 3).reverse());
    assert.deepEqual(await found({ endEventTime: '2027-01-01T00:00:00Z' }), times.slice(1).reverse());
  });

  it('how many gives 50, and whatever it says not more than 1000', async () => {
    const requests = Array.from({ length: 1001 }, () => ({ eventId: randomUUID(), event: event() }));
    for (const part of [requests.slice(1), requests.slice(0, 1)])
      assert.equal((await trail.call(service, '/v1/events:batchCreate', { requests: part })).status, 200);
    const filter = { startEventTime: '2026-05-01T12:00:00Z' };
    for (const [pageSize, given] of [
      [0, 50],
      [1000, 1000],
      [2 ** 31 - 1, 1000],
    ]) {
      const { body } = await trail.search(filter, { pageSize });
      assert.equal(body.events.length, given);
      assert.notEqual(body.nextPageToken, '');
    }
  });
});

describe('a search that finds little among much', () => {
  let trail: TestAudit;
  before(async () => {
    trail = await startTestAudit({ effort: { milliseconds: 0, events: 200, matched: 200 } });
    const requests = Array.from({ length: 900 }, (_, n) => ({
      eventId: randomUUID(),
      event: event({ userAgent: `${n}`, metadata: { n: `${n}` } }),
    }));
    await trail.call(service, '/v1/events:batchCreate', { requests });
  });
  after(() => trail.stop());

  for (const filter of [{ metadataExact: { n: '3' } }, { metadataRegex: { n: '^3$' } }])
    it(`answers short pages rather than late, and comes to it in the end: ${JSON.stringify(filter)}`, async () => {
      let pageToken = '';
      let pages = 0;
      let empty = 0;
      const found: string[] = [];
      do {
        const { body } = await trail.search(filter, { pageToken });
        pages += 1;
        if (body.events.length === 0 && body.nextPageToken !== '') empty += 1;
        found.push(...body.events.map(({ userAgent }: { userAgent: string }) => userAgent));
        pageToken = body.nextPageToken;
      } while (pageToken !== '');
      assert.deepEqual(found, ['3']);
      assert.ok(pages >= 4 && empty >= 3, `${pages} pages, ${empty} of them empty`);
    });
});

describe('who may do what with the audit trail', () => {
  let trail: TestAudit;
  before(async () => {
    trail = await startTestAudit({
      workspaces: {
        accessOf: async ({ username }, workspace) => {
          const role = { olga: 'owner', alan: 'admin', edda: 'editor', vera: 'viewer' }[username];
          if (role === undefined) throw Object.assign(new Error('not a member'), { code: 'not_found' });
          return {
            workspace: workspace === 'workspaces/default' ? 'workspaces/w9' : workspace,
            role,
          } as never;
        },
        workspacesOf: async () => [],
      },
    });
  });
  after(() => trail.stop());

  const own = (who: string) => ({ principalExact: `users/${idOf(who)}` });
  const w1 = { workspaceExact: 'workspaces/w1' };
  for (const [who, filter, expected] of [
    ['admin@haic-portal', {}, 200],
    ['admin@haic-platform', {}, 200],
    ['admin@haic-cli', {}, 200],
    ['admin@haic-sa-ci', {}, 200],
    ['admin@haic-app-1', {}, 403],
    ['core@haic-service-core', {}, 403],
    ['ada@haic-portal', {}, 403],
    ['ada@haic-portal', own('ada'), 200],
    ['ada@haic-platform', { ...own('ada'), workspaceRegex: '.' }, 200],
    ['ada@haic-sa-ci', own('ada'), 200],
    ['ada@haic-app-1', own('ada'), 403],
    ['ada@haic-portal', own('olga'), 403],
    ['ada@haic-portal', { principalRegex: `users/${idOf('ada')}` }, 403],
    ['olga@haic-portal', w1, 200],
    ['alan@haic-cli', w1, 200],
    ['alan@haic-cli', { ...w1, principalExact: 'services/router' }, 200],
    ['edda@haic-portal', w1, 403],
    ['vera@haic-portal', w1, 403],
    ['olga@haic-portal', {}, 403],
    ['olga@haic-portal', { workspaceRegex: 'w1' }, 403],
    ['olga@haic-portal', { workspaceExact: '' }, 403],
    ['olga@haic-portal', { workspaceExact: 'workspaces/default' }, 403],
    ['olga@haic-app-1', w1, 403],
    ['nobody@elsewhere', {}, 401],
  ] as const)
    it(`lets ${who} search by ${JSON.stringify(filter)}: ${expected}`, async () => {
      assert.equal((await trail.search(filter, {}, who)).status, expected);
    });

  for (const [who, expected] of [
    ['core@haic-service-core', 200],
    ['router@haic-service-router', 200],
    ['operator@haic-service-operator', 200],
    ['admin@haic-portal', 403],
    ['admin@haic-platform', 403],
    ['admin@haic-cli', 403],
    ['admin@haic-sa-ci', 403],
    ['admin@haic-app-1', 403],
    ['nobody@elsewhere', 401],
  ] as const)
    it(`lets ${who} record: ${expected}`, async () => {
      const body = { requests: [{ eventId: randomUUID(), event: event() }] };
      assert.equal((await trail.call(who, '/v1/events:batchCreate', body)).status, expected);
      assert.equal((await trail.call(who, `/v1/events?eventId=${randomUUID()}`, event())).status, expected);
    });
});
