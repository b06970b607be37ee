import { randomUUID } from 'node:crypto';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { conflict, forbidden, invalid, messageOf, notFound } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { TransactionSql } from '@haic/platform/database/port.ts';
import type { ArtifactStore } from './artifacts.ts';
import type { WhenPersonEnds } from './client.ts';
import type { LabelChange } from './labels.ts';
import {
  checkDisplayName,
  checkEmail,
  checkLabel,
  checkLabels,
  checkNewPassword,
  checkUsername,
  isUsername,
  type NewPerson,
  type Person,
  type PersonChanges,
  type PersonWithPassword,
  platformRoles,
  type Role,
  usernameOf,
} from './model.ts';
import { generatePassword, hashPassword, verifyPassword } from './passwords.ts';
import { type Decision, type Deed, isAdministrator, mayDoTo } from './policy.ts';
import { lastingClients } from './provider/clients.ts';
import type { Issuer } from './provider/issuer.ts';
import type { Sessions } from './provider/sessions.ts';
import { issueRefreshToken } from './provider/tokens.ts';
import type { LabelledAccounts } from './service-accounts/service.ts';
import type { PeopleFilter, PeopleStore } from './store.ts';

/**
 * What the operator (`./haic user`, `./haic token`) and administrators do with people, and a person with their own password. Where `by`
 * is given, an administrator acts, who can shut out neither themselves nor the last administrator (409); the operator owns the machine
 * and can always make another.
 */
export interface PeopleService {
  list(): Promise<readonly Person[]>;
  page(filter: PeopleFilter): Promise<readonly Person[]>;
  get(username: string): Promise<Person>;
  /** A password is generated, and returned this once, when none is given. */
  add(person: NewPerson, password?: string): Promise<{ person: Person; password?: string }>;
  change(username: string, changes: PersonChanges, by?: Person): Promise<Person>;
  remove(username: string, by?: Person): Promise<void>;
  /** The roles of the platform, and every other one that somebody has. */
  roles(): Promise<readonly Role[]>;
  /** Gives a person or a service account one role, or takes it, and leaves the others as they are. */
  changeRole(username: string, change: LabelChange, by: Person): Promise<void>;
  resetPassword(username: string, password?: string, by?: Person): Promise<{ password?: string }>;
  /** A refresh token of the platform client that lasts until it is revoked. */
  platformToken(username: string): Promise<{ refreshToken: string; clientId: string; tokenEndpoint: string }>;
  changeOwnPassword(request: {
    person: Person;
    password: string;
    keepSession: string | undefined;
    revokeTokens: boolean;
  }): Promise<void>;
}

const withRole = (change: LabelChange, role: string): LabelChange =>
  'add' in change ? { add: role } : { take: role };

const lastAdministrator = () =>
  conflict(
    'last_administrator',
    'This is the last administrator who can sign in. Make somebody else an administrator first.',
  );

export function createPeopleService(parts: {
  people: PeopleStore;
  accounts: LabelledAccounts;
  artifacts: ArtifactStore;
  issuer: Issuer;
  sessions: Sessions;
  whenPersonEnds: WhenPersonEnds;
  logger: Logger;
}): PeopleService {
  const { people, accounts, artifacts, issuer, sessions, logger } = parts;

  /** Sessions and tokens first: with them gone, nobody starts anew what is then stopped. */
  async function endAllOf(person: Person): Promise<void> {
    await sessions.endEverything(person.id);
    await parts.whenPersonEnds(person.id, person.username).catch((error: unknown) => {
      logger.warn(
        `What ${person.username} runs could not be stopped now (${messageOf(error)}); it is found and stopped soon.`,
      );
    });
  }

  /**
   * Whoever lost a role signs in again: what is open in a browser, a WebSocket above all, would go on with it. Tokens for scripts stay;
   * with their next refresh they have what is left.
   */
  async function endWhatHadMore(before: Person, now: Person, by: Person | undefined): Promise<void> {
    const lost = before.roles.some((role) => !now.roles.includes(role));
    if (lost && !now.disabled && by?.id !== now.id) await sessions.endOthers(now.id, undefined);
  }

  async function existing(username: string): Promise<PersonWithPassword> {
    const wanted = usernameOf(username);
    const person = isUsername(wanted) ? await people.byUsername(wanted) : undefined;
    if (person === undefined) throw notFound(`The person "${username.slice(0, 60)}"`);
    return person;
  }

  /** As an administrator: within the rules. As the operator: at once. */
  function guarded<T>(
    by: Person | undefined,
    target: Person,
    deed: Deed,
    work: (writer?: TransactionSql) => Promise<T>,
  ) {
    if (by === undefined) return work();
    const decision = mayDoTo(by, target, deed);
    if (!decision.allowed) throw conflict(decision.code, decision.reason);
    return isAdministrator(target) ? people.keepingAnAdministrator(work, lastAdministrator) : work();
  }

  return {
    list: () => people.list(),
    page: (filter) => people.page(filter),
    get: existing,

    add: async (request, password) => {
      const username = checkUsername(request.username);
      const chosen = password === undefined ? generatePassword() : checkNewPassword(password, username);
      const details = {
        username,
        name: checkDisplayName(request.name ?? username),
        email: checkEmail(request.email ?? ''),
        roles: checkLabels('role', request.roles),
        groups: checkLabels('group', request.groups),
      };
      const person = await people.insert(randomUUID(), details, await hashPassword(chosen));
      if (person === undefined)
        throw conflict('username_taken', `There is a person or a service account "${username}" already.`);
      logger.info({ username, roles: details.roles }, 'A person was added.');
      return password === undefined ? { person, password: chosen } : { person };
    },

    change: async (username, changes, by) => {
      const before = await existing(username);
      const checked = {
        ...(changes.name === undefined ? {} : { name: checkDisplayName(changes.name) }),
        ...(changes.email === undefined ? {} : { email: checkEmail(changes.email) }),
        ...(changes.roles === undefined ? {} : { roles: checkLabels('role', changes.roles) }),
        ...(changes.groups === undefined ? {} : { groups: checkLabels('group', changes.groups) }),
        ...(changes.disabled === undefined ? {} : { disabled: changes.disabled }),
      };
      const person = await guarded(by, before, { kind: 'change', changes: checked }, (writer) =>
        people.update(before.id, checked, writer),
      );
      if (person === undefined) throw notFound(`The person "${username}"`);
      if (person.disabled && !before.disabled) await endAllOf(person);
      await endWhatHadMore(before, person, by);
      logger.info(
        { username: person.username, disabled: person.disabled, by: by?.username },
        'A person was changed.',
      );
      return person;
    },

    remove: async (username, by) => {
      const person = await existing(username);
      await guarded(by, person, { kind: 'remove' }, (writer) => people.remove(person.id, writer));
      await endAllOf(person);
      logger.info({ username: person.username, by: by?.username }, 'A person was removed.');
    },

    roles: async () => {
      const [members, machines] = await Promise.all([people.countByRole(), accounts.countByRole()]);
      const known = new Set([...members.keys(), ...machines.keys()]);
      const further = [...known].filter((name) => !platformRoles.has(name)).sort();
      return [...platformRoles.keys(), ...further].map((name) => ({
        name,
        description: platformRoles.get(name) ?? '',
        members: members.get(name) ?? 0,
        serviceAccounts: machines.get(name) ?? 0,
      }));
    },

    changeRole: async (username, change, by) => {
      const role = checkLabel('role', 'add' in change ? change.add : change.take);
      const wanted = {
        name: usernameOf(username),
        kind: 'role',
        change: withRole(change, role),
        by,
      } as const;
      if (await accounts.changeLabel(wanted)) return;
      const before = await existing(username);
      const others = before.roles.filter((one) => one !== role);
      const roles = 'add' in change ? [...others, role] : others;
      const person = await guarded(by, before, { kind: 'change', changes: { roles } }, (writer) =>
        people.changeLabel(before.id, 'role', withRole(change, role), writer),
      );
      if (person === undefined) throw notFound(`The person "${username}"`);
      await endWhatHadMore(before, person, by);
      logger.info({ username: person.username, roles: person.roles, by: by.username }, 'A role was changed.');
    },

    resetPassword: async (username, password, by) => {
      const person = await existing(username);
      const decision: Decision =
        by === undefined ? { allowed: true } : mayDoTo(by, person, { kind: 'resetPassword' });
      if (!decision.allowed) throw conflict(decision.code, decision.reason);
      // Whoever really wants one beside the other provider, or has none left, names it: haic user passwd --password-stdin.
      if (person.passwordHash === undefined && password === undefined)
        throw conflict(
          'no_password',
          `${person.username} signs in through another provider and has no password here: it is changed there.`,
        );
      const chosen =
        password === undefined ? generatePassword() : checkNewPassword(password, person.username);
      await people.setPassword(person.id, await hashPassword(chosen));
      await sessions.endEverything(person.id);
      logger.info(
        { username: person.username, by: by?.username ?? 'the operator' },
        'A password was replaced.',
      );
      return password === undefined ? { password: chosen } : {};
    },

    platformToken: async (username) => {
      const person = await existing(username);
      if (person.disabled) throw forbidden('person_disabled', `${person.username} is disabled.`);
      const clientId = wellKnownClients.platform;
      const refreshToken = await issueRefreshToken(issuer, clientId, person.id);
      logger.info({ username: person.username }, 'The operator made a platform token.');
      return { refreshToken, clientId, tokenEndpoint: issuer.provider().urlFor('token') };
    },

    changeOwnPassword: async ({ person, password, keepSession, revokeTokens }) => {
      const chosen = checkNewPassword(password, person.username);
      const current = await people.byId(person.id);
      if (current !== undefined && (await verifyPassword(chosen, current.passwordHash)))
        throw invalid('weak_password', 'The new password must differ from the current one.');
      await people.setPassword(person.id, await hashPassword(chosen));
      await sessions.endOthers(person.id, keepSession);
      if (revokeTokens) {
        await artifacts.removeOfAccountAtClients(person.id, lastingClients);
      }
      logger.info({ username: person.username, revokeTokens }, 'A person changed the password.');
    },
  };
}
