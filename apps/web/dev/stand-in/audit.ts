import { text } from 'node:stream/consumers';
import type { AuditEvent, AuditFilter } from '../../src/audit/events.ts';
import { type Call, json } from './api.ts';
import { ada, grace } from './samples.ts';

const hour = 3_600_000;

/** `[hours ago, who, action, resource, more]`. */
type Sample = readonly [number, AuditEvent['loginPrincipal'], string, string, Partial<AuditEvent>?];

const samples: readonly Sample[] = [
  [
    0.2,
    'ada',
    'actions/appstore/instances/RUN',
    '//appstore/instances/5f9d2c0e',
    { requestParameters: { visibility: 'PRIVATE' } },
  ],
  [0.5, 'grace.hopper', 'actions/appstore/apps/IMPORT', '//appstore/apps/ai.h2o.risk'],
  [1, 'grace.hopper', 'actions/identity/sessions/SIGNIN', '//identity/sessions'],
  [
    1.1,
    'grace.hopper',
    'actions/identity/sessions/SIGNIN',
    '//identity/sessions',
    {
      status: { code: 16, message: 'The user name or the password was wrong.' },
      sourceIpAddress: '203.0.113.7',
    },
  ],
  [
    3,
    'grace.hopper',
    'actions/appstore/instances/OPEN',
    '//appstore/instances/77aa01bc',
    {
      readOnly: true,
      status: { code: 7, message: 'not_found: This instance does not exist, or you may not see it.' },
    },
  ],
  [
    5,
    'ada',
    'actions/securestore/versions/REVEALVALUE',
    '//secure-store/workspaces/w1/secrets/database-password/versions/2',
    { readOnly: true, workspace: 'workspaces/w1' },
  ],
  [
    26,
    'ada',
    'actions/identity/people/UPDATE',
    '//identity/people/bob',
    { requestParameters: { roles: 'user, admin' } },
  ],
  [
    27,
    'core',
    'actions/audittrail/events/EXPIRE',
    '//audittrail/trails/haic',
    { principal: 'services/audit-trail', type: 'TYPE_SYSTEM', metadata: { up_to: '120000' } },
  ],
  [30, 'ada', 'actions/models/deployments/PROMOTE', '//models/workspaces/w1/deployments/churn'],
];

export function sampleEvents(): AuditEvent[] {
  const known = samples.map((sample, index) => eventOf(sample, index));
  const many = Array.from({ length: 120 }, (_, n) =>
    eventOf(
      [
        48 + n,
        n % 3 === 0 ? 'grace.hopper' : 'ada',
        'actions/appstore/instances/RUN',
        `//appstore/instances/i${n}`,
      ],
      100 + n,
    ),
  );
  return [...known, ...many];
}

function eventOf([ago, who, action, resource, more = {}]: Sample, index: number): AuditEvent {
  const time = new Date(Date.now() - ago * hour).toISOString();
  return {
    name: `events/00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    eventTime: time,
    receiveTime: time,
    eventSource: `haic-${action.split('/')[1]}`,
    action,
    readOnly: false,
    principal: `users/${who === 'ada' ? ada.subject : grace.subject}`,
    loginPrincipal: who,
    sourceIpAddress: 'private',
    resource,
    requestParameters: {},
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36',
    metadata: { client: 'haic-portal' },
    workspace: '',
    type: 'TYPE_API',
    ...more,
  };
}

/** `POST /api/services/audit-trail/v1/events:search`. */
export async function answerAudit(call: Call): Promise<void> {
  const { filter, pageSize, pageToken } = JSON.parse(await text(call.request)) as {
    filter: AuditFilter;
    pageSize: number;
    pageToken: string;
  };
  call.standIn.auditFilters.push(filter);
  const found = call.standIn.auditEvents.filter((event) => matches(event, filter));
  // The first page of a search that looks at much finds nothing yet.
  const isFirst = pageToken === '' && filter.resourceRegex !== undefined;
  const from = Number(pageToken === '' ? 0 : pageToken);
  const events = isFirst ? [] : found.slice(from, from + pageSize);
  const next = from + events.length;
  json(call.response, 200, {
    events,
    nextPageToken: isFirst ? '0' : next < found.length ? String(next) : '',
    searchedUntilTime: events.at(-1)?.eventTime ?? '2025-07-01T00:00:00Z',
  });
}

function matches(event: AuditEvent, filter: AuditFilter): boolean {
  const { startEventTime: start = '', endEventTime: end = '9999' } = filter;
  return (
    event.eventTime >= start &&
    event.eventTime < end &&
    (filter.principalExact === undefined || event.principal === filter.principalExact) &&
    isFound(event.action, filter.actionRegex) &&
    isFound(event.resource, filter.resourceRegex) &&
    isFound(String(event.status?.code ?? ''), filter.statusCodeRegex) &&
    (filter.readOnly === undefined || event.readOnly === filter.readOnly)
  );
}

/** RE2 writes the flag into the expression. */
const isFound = (value: string, expression = ''): boolean =>
  new RegExp(expression.replace(/^\(\?i\)/, ''), 'i').test(value);
