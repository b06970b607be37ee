import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { conflict, invalid, messageOf, notFound } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { TransactionSql } from '@haic/platform/database/port.ts';
import type { WhenPersonEnds } from '../client.ts';
import type { LabelChange, LabelKind } from '../labels.ts';
import { checkLabels, isUsername, type Person, usernameOf } from '../model.ts';
import type { PeopleStore } from '../store.ts';
import {
  accountNamePattern,
  checkAccountName,
  checkDescription,
  checkExpiry,
  isAccountClient,
  type NewServiceAccount,
  nameOfClient,
  type ServiceAccount,
  type ServiceAccountChanges,
} from './model.ts';
import type { AccountsFilter, ServiceAccountStore } from './store.ts';

export interface WithSecret {
  readonly account: ServiceAccount;
  /** In this answer and nowhere else. */
  readonly secret: string;
}

/** What administrators, and the operator (`by` undefined), do with service accounts; and what the issuer asks about them. */
export interface ServiceAccountsService {
  page(filter: AccountsFilter): Promise<readonly ServiceAccount[]>;
  get(name: string): Promise<ServiceAccount>;
  create(account: NewServiceAccount, by?: Person): Promise<WithSecret>;
  change(name: string, changes: ServiceAccountChanges, by?: Person): Promise<ServiceAccount>;
  rotate(name: string, overlapHours: number, by?: Person): Promise<WithSecret>;
  remove(name: string, by?: Person): Promise<void>;
  /** Gives or takes one role or group, and leaves the others as they are. False when there is no such account. */
  changeLabel(change: AccountLabelChange, writer?: TransactionSql): Promise<boolean>;
  countByRole(): Promise<ReadonlyMap<string, number>>;
  /** As others see somebody; undefined for who is no account. Disabled also for one that gets no tokens for another reason. */
  asPerson(key: { id: string } | { name: string }): Promise<Person | undefined>;
  activeAmong(ids: readonly string[]): Promise<readonly string[]>;
  /** The account of a client that may have tokens now. */
  activeOfClient(clientId: string | undefined): Promise<Person | undefined>;
  isSecretOf(clientId: string, secret: string): Promise<boolean>;
  noteUse(clientId: string): Promise<void>;
  /** Seconds since the epoch at which the account of a client ends by itself. */
  endOf(clientId: string): Promise<number | undefined>;
  /** After a person was disabled or removed: what their accounts run stops. */
  whenOwnerEnds(personId: string): Promise<void>;
}

export interface AccountLabelChange {
  readonly name: string;
  readonly kind: LabelKind;
  readonly change: LabelChange;
  readonly by: Person;
}

/** What people's groups and roles ask about accounts, which may be in them. */
export type LabelledAccounts = Pick<ServiceAccountsService, 'changeLabel' | 'countByRole'>;

const secretPrefix = 'haic_sa_';
/** 256 random bits: nobody finds one by trying, so a fast hash is as good as a slow one, and costs a pipeline nothing. */
const newSecret = () => `${secretPrefix}${randomBytes(32).toString('base64url')}`;
const hashOf = (secret: string) => createHash('sha256').update(secret).digest();
const hourMs = 60 * 60 * 1000;

export function createServiceAccountsService(parts: {
  accounts: ServiceAccountStore;
  people: PeopleStore;
  whenPersonEnds: WhenPersonEnds;
  now: () => Date;
  logger: Logger;
}): ServiceAccountsService {
  const { accounts, people, now, logger } = parts;

  async function get(name: string): Promise<ServiceAccount> {
    const account = accountNamePattern.test(name) ? await accounts.byName(name) : undefined;
    if (account === undefined) throw notFound(`The service account "${name.slice(0, 60)}"`);
    return account;
  }

  async function ownerOf(username: string): Promise<Person> {
    const wanted = usernameOf(username);
    const person = isUsername(wanted) ? await people.byUsername(wanted) : undefined;
    if (person === undefined || person.disabled)
      throw invalid('unsuitable_owner', `"${username.slice(0, 60)}" is nobody who can sign in here.`);
    return person;
  }

  const stopAllOf = (account: Pick<ServiceAccount, 'id' | 'name'>): Promise<void> =>
    parts.whenPersonEnds(account.id, account.name).catch((error: unknown) => {
      logger.warn(
        `What ${account.name} runs could not be stopped now (${messageOf(error)}); it is found and stopped soon.`,
      );
    });

  const who = (by: Person | undefined) => by?.username ?? 'the operator';

  return {
    page: (filter) => accounts.page(filter),
    get,

    create: async (wanted, by) => {
      const name = checkAccountName(wanted.name);
      const fields = {
        description: checkDescription(wanted.description),
        roles: checkLabels('role', wanted.roles),
        groups: checkLabels('group', wanted.groups),
        expiresAt: checkExpiry(wanted.expiresAt, now()),
        ownerId: (await ownerOf(wanted.owner)).id,
      };
      const secret = newSecret();
      if (!(await accounts.insert(randomUUID(), name, fields, hashOf(secret))))
        throw conflict('username_taken', `There is a person or a service account "${name}" already.`);
      logger.info({ account: name, roles: fields.roles, by: who(by) }, 'A service account was made.');
      return { account: await get(name), secret };
    },

    change: async (name, changes, by) => {
      const before = await get(name);
      const { owner, expiresAt } = changes;
      await accounts.update(before.id, {
        description:
          changes.description === undefined ? before.description : checkDescription(changes.description),
        ownerId: owner === undefined ? before.owner.id : (await ownerOf(owner)).id,
        roles: changes.roles === undefined ? before.roles : checkLabels('role', changes.roles),
        groups: changes.groups === undefined ? before.groups : checkLabels('group', changes.groups),
        expiresAt: expiresAt === undefined ? before.expiresAt : checkExpiry(expiresAt ?? undefined, now()),
        disabled: changes.disabled ?? before.disabled,
      });
      const account = await get(name);
      if (before.state === 'ACTIVE' && account.state !== 'ACTIVE') await stopAllOf(account);
      logger.info(
        { account: name, roles: account.roles, state: account.state, by: who(by) },
        'A service account was changed.',
      );
      return account;
    },

    rotate: async (name, overlapHours, by) => {
      const { id } = await get(name);
      const secret = newSecret();
      await accounts.rotate(id, hashOf(secret), new Date(now().getTime() + overlapHours * hourMs));
      logger.info({ account: name, overlapHours, by: who(by) }, 'A service account got a new secret.');
      return { account: await get(name), secret };
    },

    remove: async (name, by) => {
      const account = await get(name);
      await accounts.remove(account.id);
      await stopAllOf(account);
      logger.info({ account: name, by: who(by) }, 'A service account was removed.');
    },

    changeLabel: async ({ name, kind, change, by }, writer) => {
      if (!accountNamePattern.test(name)) return false;
      const changed = await accounts.changeLabel(name, kind, change, writer);
      if (changed)
        logger.info({ account: name, kind, ...change, by: by.username }, 'A service account was changed.');
      return changed;
    },
    countByRole: accounts.countByRole,

    asPerson: async (key) => {
      const account = 'id' in key ? await accounts.byId(key.id) : await accounts.byName(key.name);
      return account === undefined ? undefined : personOf(account);
    },
    activeAmong: (ids) => accounts.activeAmong(ids),

    activeOfClient: async (clientId) => {
      if (clientId === undefined || !isAccountClient(clientId)) return undefined;
      const account = await accounts.byName(nameOfClient(clientId));
      return account?.state === 'ACTIVE' ? personOf(account) : undefined;
    },
    isSecretOf: (clientId, secret) => accounts.hasSecret(nameOfClient(clientId), hashOf(secret)),
    endOf: async (clientId) => {
      const end = (await accounts.byName(nameOfClient(clientId)))?.expiresAt;
      return end === undefined ? undefined : Math.floor(end.getTime() / 1000);
    },
    noteUse: (clientId) => accounts.markUsed(nameOfClient(clientId)),

    whenOwnerEnds: async (personId) => {
      for (const account of await accounts.ownedBy(personId)) await stopAllOf(account);
    },
  };
}

const personOf = (account: ServiceAccount): Person => ({
  id: account.id,
  username: account.name,
  name: account.name,
  email: '',
  roles: account.roles,
  groups: account.groups,
  disabled: account.state !== 'ACTIVE',
  createdAt: account.createdAt,
  lastSignInAt: undefined,
});
