import { conflict, notFound } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { GroupStore, GroupsFilter } from './group-store.ts';
import { checkLabel, type Group, isUsername, type Person, usernameOf } from './model.ts';
import type { LabelledAccounts } from './service-accounts/service.ts';
import { isUuid, type PeopleStore } from './store.ts';

/** What administrators do with groups. What it means to be in one is the apps' matter: they read it in tokens. */
export interface GroupsService {
  page(filter: GroupsFilter): Promise<readonly Group[]>;
  get(id: string): Promise<Group>;
  create(name: string, by: Person): Promise<Group>;
  rename(id: string, name: string, by: Person): Promise<Group>;
  remove(id: string, by: Person): Promise<void>;
  /** A person or a service account. Who is in it already, or is not, stays so. */
  addMember(id: string, username: string, by: Person): Promise<void>;
  removeMember(id: string, username: string, by: Person): Promise<void>;
}

const taken = (name: string) =>
  conflict(
    'group_name_taken',
    `There is a group of the name "${name}" already; upper and lower case make no difference.`,
  );

export function createGroupsService(parts: {
  groups: GroupStore;
  people: PeopleStore;
  accounts: LabelledAccounts;
  logger: Logger;
}): GroupsService {
  const { groups, people, accounts, logger } = parts;

  async function get(id: string): Promise<Group> {
    const group = await groups.get(id);
    if (group === undefined) throw notFound('This group');
    return group;
  }

  async function changeMember(id: string, username: string, what: 'add' | 'take', by: Person): Promise<void> {
    const wanted = usernameOf(username);
    const person = isUsername(wanted) ? await people.byUsername(wanted) : undefined;
    if (!isUuid(id)) throw notFound('This group');
    await groups.withName(id, async (name, writer) => {
      if (name === undefined) throw notFound('This group');
      const change = what === 'add' ? { add: name } : { take: name };
      if (person === undefined) {
        if (await accounts.changeLabel({ name: wanted, kind: 'group', change, by }, writer)) return;
        throw notFound(`The person or service account "${username.slice(0, 60)}"`);
      }
      await people.changeLabel(person.id, 'group', change, writer);
      logger.info({ group: name, username: person.username, what, by: by.username }, 'A group was changed.');
    });
  }

  return {
    page: (filter) => groups.page(filter),
    get,
    create: async (raw, by) => {
      const name = checkLabel('group', raw);
      const group = await groups.insert(name);
      if (group === undefined) throw taken(name);
      logger.info({ group: name, by: by.username }, 'A group was made.');
      return group;
    },
    rename: async (id, raw, by) => {
      const name = checkLabel('group', raw);
      const before = await get(id);
      const result = await groups.rename(id, name);
      if (result === 'gone') throw notFound('This group');
      if (result === 'taken') throw taken(name);
      logger.info({ group: name, before: before.name, by: by.username }, 'A group was renamed.');
      return get(id);
    },
    remove: async (id, by) => {
      const { name, members } = await get(id);
      await groups.remove(id);
      logger.info({ group: name, members, by: by.username }, 'A group was removed.');
    },
    addMember: (id, username, by) => changeMember(id, username, 'add', by),
    removeMember: (id, username, by) => changeMember(id, username, 'take', by),
  };
}
