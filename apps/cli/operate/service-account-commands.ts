import process from 'node:process';
import { readSettings } from '@haic/server/settings.ts';
import type { Command } from 'commander';
import { CommandError, exitCodes } from '../terminal.ts';

interface AddFlags {
  readonly owner: string;
  readonly role: readonly string[];
  readonly group: readonly string[];
  readonly description?: string;
  readonly expires?: string;
  readonly json?: boolean;
}

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];
const settings = () => readSettings(process.env);
const load = () => import('./service-accounts.ts');

/** `./haic service-account …`: accounts of pipelines and other systems, for whoever owns the machine. */
export function serviceAccountCommands(program: Command): void {
  const account = program
    .command('service-account')
    .description('accounts of pipelines and other systems, by client credentials');
  account
    .command('add <name>')
    .description('make one; its secret is shown once')
    .requiredOption('--owner <user>', 'who answers for it; it ends with this account')
    .option('--role <role>', 'admin, user or visitor; repeat for more', collect, [])
    .option('--group <group>', 'repeat for more', collect, [])
    .option('--description <text>')
    .option('--expires <days>', 'ends by itself after so many days; never without this')
    .option('--json', 'JSON on stdout')
    .action(async (name: string, flags: AddFlags) =>
      (await load()).addServiceAccount(settings(), {
        name,
        owner: flags.owner,
        roles: flags.role.length === 0 ? ['user'] : flags.role,
        groups: flags.group,
        description: flags.description ?? '',
        expiresInDays: flags.expires === undefined ? undefined : wholeNumber('--expires', flags.expires),
        json: flags.json === true,
      }),
    );
  account
    .command('list')
    .option('--json', 'JSON on stdout')
    .action(async (flags: { json?: boolean }) =>
      (await load()).listServiceAccounts(settings(), { json: flags.json === true }),
    );
  account
    .command('rotate <name>')
    .description('make a new secret; the one before stays good for a while')
    .option('--overlap <hours>', 'how long, up to 168; 0 if it leaked', '24')
    .option('--json', 'JSON on stdout')
    .action(async (name: string, flags: { overlap: string; json?: boolean }) =>
      (await load()).rotateSecret(settings(), name, {
        overlapHours: wholeNumber('--overlap', flags.overlap),
        json: flags.json === true,
      }),
    );
  for (const [verb, disabled] of [
    ['disable', true],
    ['enable', false],
  ] as const)
    account
      .command(`${verb} <name>`)
      .action(async (name: string) => (await load()).setAccountDisabled(settings(), name, disabled));
  account
    .command('remove <name>')
    .option('--yes', 'do not ask')
    .action(async (name: string, flags: { yes?: boolean }) =>
      (await load()).removeServiceAccount(settings(), name, { yes: flags.yes === true }),
    );
}

function wholeNumber(flag: string, text: string): number {
  if (!/^\d{1,5}$/.test(text))
    throw new CommandError(`${flag}: ${text} is no whole number.`, exitCodes.usage);
  return Number(text);
}
