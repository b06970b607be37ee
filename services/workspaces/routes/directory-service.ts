import type { ServiceImpl } from '@connectrpc/connect';
import { invalid, notFound } from '@haic/kit/errors.ts';
import { callerOf, type ServedService, serve } from '@haic/kit/grpc-gateway/service.ts';
import { placeAfter } from '@haic/kit/http/paging.ts';
import type { PeopleDirectory } from '@haic/services/identity/client.ts';
import { DirectoryService } from '../gen/haic/authz/v1/directory_pb.js';
import { groupName, subjectOf } from '../model.ts';
import { mayLookUpOthers, maySeeEmail } from '../policy.ts';
import { presentUser } from '../present.ts';
import { cut, pageSizeOf } from './paging.ts';

const anything = /^[^\0]*$/;

/**
 * Whoever has full access finds everybody by name, since one shares with somebody; a visitor, who shares nothing, finds nobody else. E-mail
 * addresses are for administrators and for who has them: a name is enough to share with, and a list of everybody's addresses is not for all.
 */
export function serveDirectory(directory: PeopleDirectory): ServedService {
  const implementation: ServiceImpl<typeof DirectoryService> = {
    getUser: async ({ name }, context) => {
      const caller = callerOf(context);
      const subject = subjectOf(name) ?? '';
      const mayAsk = subject === caller.subject || mayLookUpOthers(caller);
      const [person] = mayAsk && anything.test(subject) ? await directory.findPeople([subject]) : [];
      if (person === undefined) throw notFound('This user');
      return { user: presentUser(person, maySeeEmail(caller, person.subject)) };
    },
    listUsers: async ({ pageSize: wanted, pageToken, filter }, context) => {
      const caller = callerOf(context);
      const pageSize = pageSizeOf(wanted);
      const [username, subject] = placeAfter(pageToken, anything, anything) ?? [];
      const after = username === undefined || subject === undefined ? undefined : { username, subject };
      const found = mayLookUpOthers(caller)
        ? await directory.listPeople({ text: checkFilter(filter), after, limit: pageSize + 1 })
        : await directory.findPeople(after === undefined ? [caller.subject] : []);
      const { page, nextPageToken } = cut(found, pageSize, (last) => [last.username, last.subject]);
      return {
        users: page.map((person) => presentUser(person, maySeeEmail(caller, person.subject))),
        nextPageToken,
      };
    },
    listGroups: async ({ pageSize: wanted, pageToken, filter }, context) => {
      const pageSize = pageSizeOf(wanted);
      const [after] = placeAfter(pageToken, anything) ?? [];
      const found = mayLookUpOthers(callerOf(context))
        ? await directory.listGroups({ text: checkFilter(filter), after, limit: pageSize + 1 })
        : [];
      const { page, nextPageToken } = cut(found, pageSize, (last) => [last]);
      return {
        groups: page.map((name) => ({ name: groupName(name), displayName: name })),
        nextPageToken,
      };
    },
  };
  return serve(DirectoryService, implementation);
}

function checkFilter(text: string): string {
  if (text.length > 200 || text.includes('\0'))
    throw invalid('invalid_request', 'A filter is part of a name, with at most 200 signs.');
  return text.trim();
}
