import process from 'node:process';
import { haicVersion } from '@haic/kit/version.ts';
import { connectPostgres, migrate } from '@haic/platform/database/postgres.ts';
import { allMigrations } from '@haic/server/migrations.ts';
import { readSettings, requireDatabaseUrl } from '@haic/server/settings.ts';
import { trustOwnAuthority } from '@haic/server/trust.ts';
import { CommanderError } from 'commander';
import { userCommands } from '../operate/user-commands.ts';
import { newProgram, runProgram } from '../run-program.ts';
import { print } from '../terminal.ts';

const roles = ['router', 'core', 'drive'];

/** What the image of the platform is started with: one of the roles, the migrations before them, or what an operator asks inside of core's pod. */
const program = newProgram('haic', 'An open, self-hosted H2O AI Cloud.').version(haicVersion);
program.hook('preAction', () => trustOwnAuthority(process.env.HAIC_CA_FILE || undefined));
program
  .command('serve')
  .description('run one of the roles of the platform')
  .requiredOption('--services <role>', roles.join(', '))
  .action(async ({ services: role }: { services: string }) => {
    if (!roles.includes(role))
      throw new CommanderError(2, 'haic.role', `There is no role "${role}": ${roles.join(', ')}.`);
    // Each role is a program of its own beside this one.
    const file = ['.', `${role}.mjs`].join('/');
    await import(file);
  });
program
  .command('migrate')
  .description('bring the database up to date; safe to repeat')
  .action(async () => {
    const url = requireDatabaseUrl(readSettings(process.env));
    const database = connectPostgres({ url, applicationName: 'haic-migrate', maxConnections: 1 });
    try {
      for (const migrations of allMigrations)
        for (const name of await migrate(database, migrations)) print(`${migrations.schema}/${name}`);
    } finally {
      await database.close();
    }
  });
userCommands(program);
program
  .command('token')
  .description('a platform token (refresh token, alone on stdout)')
  .requiredOption('--user <name>', 'whose')
  .action(async ({ user }: { user: string }) =>
    (await import('../operate/users.ts')).printToken(readSettings(process.env), user),
  );
await runProgram(program, process.argv.slice(2));
