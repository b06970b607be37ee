import { Type } from '@fastify/type-provider-typebox';
import { problems } from '@haic/kit/http/operation.ts';
import { cutPage, isoTime, pageOf, pageQuery, placeAfter } from '@haic/kit/http/paging.ts';
import { principalOf } from '@haic/kit/http/server.ts';
import type { FormerPeople } from '../former-people.ts';
import { presentFormerPerson, presentOperation } from '../present.ts';
import type { OceanServer } from './context.ts';
import { FormerPersonSchema, OperationSchema, tags } from './schemas.ts';

const subject = Type.String({ maxLength: 255, pattern: '^[^\\u0000]*$' });
const deed = 'administer people';
const at = '/api/v1/drive/former-people';

const list = {
  operationId: 'listFormerPeopleInDrive',
  summary: 'Who is gone and left something in Drive, and until when that is kept; for administrators.',
  tags,
  querystring: Type.Object({
    ...pageQuery,
    query: Type.Optional(
      Type.String({
        maxLength: 100,
        pattern: '^[^\\u0000]*$',
        description: 'Part of the user name or subject, in any case.',
      }),
    ),
  }),
  response: { 200: pageOf(FormerPersonSchema), ...problems(403) },
};
const handOver = {
  operationId: 'handOverDriveOfFormerPerson',
  summary: 'Moves what somebody who is gone left in Drive into a folder of somebody else’s own bucket.',
  description:
    'Answered as other operations are, when it has ended or after a moment while it still runs. Nobody reads anything by it but who is given it. The trash stays.',
  tags,
  params: Type.Object({ subject }),
  body: Type.Object(
    { to: Type.String({ maxLength: 128, pattern: '^[^\\u0000]*$', description: 'User name.' }) },
    { additionalProperties: false },
  ),
  response: { 200: OperationSchema, ...problems(403, 404) },
};

const purge = {
  operationId: 'purgeDriveOfFormerPerson',
  summary: 'Removes what somebody who is gone left in Drive, with their trash, before its time.',
  description: 'Answered as other operations are. What is removed cannot be brought back.',
  tags,
  params: Type.Object({ subject }),
  response: { 200: OperationSchema, ...problems(403, 404) },
};

/** GET /api/v1/drive/former-people, POST …/:subject/hand-over and …/:subject/purge */
export function formerPeopleRoutes(server: OceanServer, formerPeople: FormerPeople): void {
  server.get(at, { schema: list, config: { deed } }, async (request) => {
    const { pageSize = 50, pageToken, query = '' } = request.query;
    const [time, last] = placeAfter(pageToken, isoTime, anySubject) ?? [];
    const after =
      time === undefined || last === undefined ? undefined : { purgeAt: new Date(time), subject: last };
    const found = await formerPeople.list(principalOf(request), query.trim(), after, pageSize + 1);
    const { page, next } = cutPage(found, pageSize, (one) => [one.purgeAt.toISOString(), one.subject]);
    return { items: page.map(presentFormerPerson), ...next };
  });
  const audit = {
    ...{ action: 'actions/drive/former-people/HANDOVER', resource: '//drive/former-people/{subject}' },
    parameters: ['to'],
  };
  server.post(`${at}/:subject/hand-over`, { schema: handOver, config: { deed, audit } }, async (request) =>
    presentOperation(
      await formerPeople.handOver(principalOf(request), request.params.subject, request.body.to),
    ),
  );
  const purging = {
    ...{ action: 'actions/drive/former-people/PURGE', resource: '//drive/former-people/{subject}' },
  };
  server.post(`${at}/:subject/purge`, { schema: purge, config: { deed, audit: purging } }, async (request) =>
    presentOperation(await formerPeople.purge(principalOf(request), request.params.subject)),
  );
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what PostgreSQL has no text for
const anySubject = /^[^\u0000]{1,255}$/u;
