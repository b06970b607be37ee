import process from 'node:process';
import { readSettings } from '@haic/server/settings.ts';
import type { Command } from 'commander';

interface Flags {
  readonly audience: string;
  readonly scope?: readonly string[];
  readonly app?: readonly string[];
  readonly serviceAccount?: readonly string[];
  readonly description?: string;
  readonly json?: boolean;
}

const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];
const settings = () => readSettings(process.env);
const load = () => import('./foreign-resources.ts');

const fieldFlags = (command: Command): Command =>
  command
    .option('--app <id>', 'an app whose instances may ask, by its id (h2o app list); * for all', collect)
    .option('--service-account <name>', 'an account that may ask; * for all', collect)
    .option('--scope <scope>', 'what tokens may say; repeat for more', collect)
    .option('--description <text>');

const fieldsOf = ({ scope, app, serviceAccount, description }: Omit<Flags, 'audience'>) => ({
  ...(scope === undefined ? {} : { scopes: scope }),
  ...(app === undefined ? {} : { apps: app }),
  ...(serviceAccount === undefined ? {} : { serviceAccounts: serviceAccount }),
  ...(description === undefined ? {} : { description }),
});

/** `./haic foreign-resource …`: for what, and for whom, Haic's own issuer exchanges tokens (docs/foreign-resources.md). */
export function foreignResourceCommands(program: Command): void {
  const resource = program
    .command('foreign-resource')
    .description('what others guard and apps may call as their person, by token exchange');
  fieldFlags(
    resource
      .command('add <name>')
      .description('register one')
      .requiredOption('--audience <audience>', 'what tokens for it name: its address, or its issuer’s'),
  )
    .option('--json', 'JSON on stdout')
    .action(async (name: string, flags: Flags) =>
      (await load()).addForeignResource(
        settings(),
        { name, audience: flags.audience, ...fieldsOf(flags) },
        { json: flags.json === true },
      ),
    );
  resource
    .command('list')
    .option('--json', 'JSON on stdout')
    .action(async (flags: { json?: boolean }) =>
      (await load()).listForeignResources(settings(), { json: flags.json === true }),
    );
  fieldFlags(
    resource.command('change <name>').description('replaces what is given, and leaves the rest'),
  ).action(async (name: string, flags: Flags) =>
    (await load()).changeForeignResource(settings(), name, fieldsOf(flags)),
  );
  resource
    .command('remove <name>')
    .option('--yes', 'do not ask')
    .action(async (name: string, flags: { yes?: boolean }) =>
      (await load()).removeForeignResource(settings(), name, { yes: flags.yes === true }),
    );
}
