import type { ServerSettings } from '@haic/server/settings.ts';
import { confirm, print, record, say, table } from '../terminal.ts';
import { allPages } from './pages.ts';
import { asOperator } from './users.ts';

interface Account {
  readonly name: string;
  readonly clientId: string;
  readonly owner: string | null;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly state: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly earlierSecretEndsAt: string | null;
}
interface WithSecret {
  readonly account: Account;
  readonly secret: string;
}

const base = '/internal/identity/service-accounts';
const pathOf = (name: string) => `${base}/${encodeURIComponent(name)}`;
const dayMs = 24 * 60 * 60 * 1000;

export const addServiceAccount = (
  settings: ServerSettings,
  wanted: {
    readonly name: string;
    readonly owner: string;
    readonly roles: readonly string[];
    readonly groups: readonly string[];
    readonly description: string;
    readonly expiresInDays: number | undefined;
    readonly json: boolean;
  },
): Promise<void> =>
  asOperator(settings, async (operator) => {
    const { expiresInDays, json, ...body } = wanted;
    const end = expiresInDays === undefined ? undefined : new Date(Date.now() + expiresInDays * dayMs);
    const made = await operator.call<WithSecret>('POST', base, {
      ...body,
      ...(end === undefined ? {} : { expiresAt: end.toISOString() }),
    });
    printSecret(made, json);
    say(
      'The secret is not shown again. Where it is used: HAIC_CLIENT_ID and HAIC_CLIENT_SECRET, then any "h2o" command.',
    );
  });

export const rotateSecret = (
  settings: ServerSettings,
  name: string,
  options: { overlapHours: number; json: boolean },
): Promise<void> =>
  asOperator(settings, async (operator) => {
    const { overlapHours, json } = options;
    const made = await operator.call<WithSecret>('POST', `${pathOf(name)}/secret`, { overlapHours });
    printSecret(made, json);
    const end = made.account.earlierSecretEndsAt;
    say(`The secret is not shown again. The one before ${end === null ? 'has ended' : `ends at ${end}`}.`);
  });

export const listServiceAccounts = (settings: ServerSettings, options: { json: boolean }): Promise<void> =>
  asOperator(settings, async (operator) => {
    const accounts = await allPages<Account>(operator, base);
    if (options.json) return print(JSON.stringify(accounts, undefined, 2));
    const rows = accounts.map((one) => [
      one.name,
      one.owner ?? '(gone)',
      one.roles.join(','),
      one.groups.join(','),
      one.state,
      one.expiresAt ?? 'never',
      one.lastUsedAt ?? 'never',
    ]);
    print(table(['NAME', 'OWNER', 'ROLES', 'GROUPS', 'STATE', 'EXPIRES', 'LAST USED'], rows));
  });

export const setAccountDisabled = (
  settings: ServerSettings,
  name: string,
  disabled: boolean,
): Promise<void> =>
  asOperator(settings, async (operator) => {
    await operator.call('PATCH', pathOf(name), { disabled });
    say(
      disabled
        ? `${name} is disabled: its tokens are refused and what it runs stops. Undo: ./haic service-account enable ${name}`
        : `${name} gets tokens again.`,
    );
  });

export const removeServiceAccount = (
  settings: ServerSettings,
  name: string,
  options: { yes: boolean },
): Promise<void> =>
  asOperator(settings, async (operator) => {
    if (!options.yes)
      await confirm(
        `Remove ${name}? What it runs stops. Disabling can be undone: ./haic service-account disable ${name}.`,
        '--yes',
      );
    await operator.call('DELETE', pathOf(name));
    say(`${name} is removed.`);
  });

function printSecret({ account, secret }: WithSecret, json: boolean): void {
  const { name, clientId, expiresAt } = account;
  if (json) {
    print(JSON.stringify({ name, clientId, clientSecret: secret, expiresAt }, undefined, 2));
    return;
  }
  print(
    record([
      ['Name', name],
      ['Client ID', clientId],
      ['Client secret', secret],
      ['Owner', account.owner ?? ''],
      ['Roles', account.roles.join(',')],
      ['Groups', account.groups.join(',')],
      ['Expires', expiresAt ?? 'never'],
    ]),
  );
}
