import process from 'node:process';
import { readSettings } from '@haic/server/settings.ts';
import type { Command } from 'commander';

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];
const settings = () => readSettings(process.env);

/** `./haic user …`: people of the embedded identity, for whoever owns the installation. */
export function userCommands(program: Command): void {
  const user = program.command('user').description('people of the embedded identity');
  user
    .command('add <name>')
    .description('add a person; the password is made and shown once, or read from stdin')
    .option('--role <role>', 'admin, user or visitor; repeat for more', collect, [])
    .option('--group <group>', 'repeat for more', collect, [])
    .option('--name <full name>')
    .option('--email <address>')
    .option('--password-stdin', 'read the password from stdin')
    .action(
      async (
        username: string,
        flags: { role: string[]; group: string[]; name?: string; email?: string; passwordStdin?: boolean },
      ) =>
        (await import('./users.ts')).addUser(settings(), {
          username,
          roles: flags.role.length === 0 ? ['user'] : flags.role,
          groups: flags.group,
          name: flags.name,
          email: flags.email,
          passwordFromStdin: flags.passwordStdin === true,
        }),
    );
  user
    .command('list')
    .option('--json', 'JSON on stdout')
    .action(async (flags: { json?: boolean }) =>
      (await import('./users.ts')).listUsers(settings(), { json: flags.json === true }),
    );
  user
    .command('remove <name>')
    .option('--yes', 'do not ask')
    .action(async (name: string, flags: { yes?: boolean }) =>
      (await import('./users.ts')).removeUser(settings(), name, { yes: flags.yes === true }),
    );
  user
    .command('passwd <name>')
    .description('replace a password')
    .option('--password-stdin', 'read it from stdin instead of making one')
    .action(async (name: string, flags: { passwordStdin?: boolean }) =>
      (await import('./users.ts')).setPassword(settings(), name, { fromStdin: flags.passwordStdin === true }),
    );
  for (const [verb, disabled] of [
    ['disable', true],
    ['enable', false],
  ] as const) {
    user
      .command(`${verb} <name>`)
      .action(async (name: string) => (await import('./users.ts')).setDisabled(settings(), name, disabled));
  }
}
