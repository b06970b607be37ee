import { installationOf, type ServerSettings } from '@haic/server/settings.ts';
import { connectOperator, type Operator } from '../installation/operator.ts';
import { type RunningInstallation, readRecord } from '../installation/processes.ts';
import { CommandError, confirm, print, readStdin, record, say, table } from '../terminal.ts';

interface User {
  readonly username: string;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly disabled: boolean;
}

const base = '/internal/identity/users';
const userPath = (username: string) => `${base}/${encodeURIComponent(username)}`;

export async function asOperator<T>(
  settings: ServerSettings,
  work: (operator: Operator) => Promise<T>,
): Promise<T> {
  const at = installationOf(settings);
  const issuer = (await readRecord<RunningInstallation>(at.run, 'installation'))?.issuer;
  if (issuer !== undefined)
    throw new CommandError(
      `People and service accounts are managed where they sign in: ${issuer}. Haic keeps none here (docs/keycloak.md).`,
    );
  const operator = await connectOperator(at);
  try {
    return await work(operator);
  } finally {
    await operator.close();
  }
}

export interface NewUser {
  readonly username: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly name: string | undefined;
  readonly email: string | undefined;
  /** Read the password from stdin instead of making one. */
  readonly passwordFromStdin: boolean;
}

export const addUser = (settings: ServerSettings, user: NewUser): Promise<void> =>
  asOperator(settings, async (operator) => {
    const { passwordFromStdin, name, email, ...rest } = user;
    const created = await operator.call<{ user: User; password?: string }>('POST', base, {
      ...rest,
      ...(name === undefined ? {} : { name }),
      ...(email === undefined ? {} : { email }),
      ...(passwordFromStdin ? { password: await readStdin() } : {}),
    });
    printUser(created.user, created.password);
    say(
      `${created.user.username} can sign in now. A token for scripts: ./haic token --user ${created.user.username}`,
    );
  });

export const listUsers = (settings: ServerSettings, options: { json: boolean }): Promise<void> =>
  asOperator(settings, async (operator) => {
    const users: User[] = [];
    let pageToken: string | undefined;
    do {
      const query = pageToken === undefined ? '' : `?pageToken=${encodeURIComponent(pageToken)}`;
      const page = await operator.call<{ items: readonly User[]; nextPageToken?: string }>(
        'GET',
        `${base}${query}`,
      );
      users.push(...page.items);
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    if (options.json) return print(JSON.stringify(users, undefined, 2));
    const rows = users.map((u) => [
      u.username,
      u.name,
      u.roles.join(','),
      u.groups.join(','),
      u.disabled ? 'disabled' : 'active',
    ]);
    print(table(['USERNAME', 'NAME', 'ROLES', 'GROUPS', 'STATE'], rows));
  });

export const removeUser = (
  settings: ServerSettings,
  username: string,
  options: { yes: boolean },
): Promise<void> =>
  asOperator(settings, async (operator) => {
    if (!options.yes)
      await confirm(
        `Remove ${username}, with all sessions and tokens? Disabling can be undone: ./haic user disable ${username}.`,
        '--yes',
      );
    await operator.call('DELETE', userPath(username));
    say(`${username} is removed.`);
  });

export const setDisabled = (settings: ServerSettings, username: string, disabled: boolean): Promise<void> =>
  asOperator(settings, async (operator) => {
    await operator.call('PATCH', userPath(username), { disabled });
    say(
      disabled
        ? `${username} is disabled; all sessions and tokens ended. Undo: ./haic user enable ${username}`
        : `${username} can sign in again.`,
    );
  });

export const setPassword = (
  settings: ServerSettings,
  username: string,
  options: { fromStdin: boolean },
): Promise<void> =>
  asOperator(settings, async (operator) => {
    const body = options.fromStdin ? { password: await readStdin() } : {};
    const { password } = await operator.call<{ password?: string }>(
      'POST',
      `${userPath(username)}/password`,
      body,
    );
    if (password !== undefined) print(`Password\t${password}`);
    say(`The password of ${username} is replaced; sessions and tokens ended.`);
  });

/** The refresh token alone on stdout, so that `TOKEN=$(./haic token --user ada)` works. */
export const printToken = (settings: ServerSettings, username: string): Promise<void> =>
  asOperator(settings, async (operator) => {
    const issued = await operator.call<{ refreshToken: string; clientId: string; tokenEndpoint: string }>(
      'POST',
      `${userPath(username)}/platform-token`,
    );
    print(issued.refreshToken);
    say(
      `A platform token of ${username} for client ${issued.clientId} at ${issued.tokenEndpoint}. It is not shown again.`,
    );
  });

function printUser(user: User, password: string | undefined): void {
  print(
    record([
      ['Username', user.username],
      ['Roles', user.roles.join(',')],
      ['Groups', user.groups.join(',')],
      ...(password === undefined ? [] : ([['Password', password]] as const)),
    ]),
  );
}
