import process from 'node:process';
import { readSettings } from '@haic/server/settings.ts';
import { type Command, Option } from 'commander';
import { serviceAccountCommands } from './service-account-commands.ts';

interface UpFlags {
  readonly detach?: boolean;
  readonly port?: string;
  readonly host?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly issuer?: string;
}

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];
const settings = () => readSettings(process.env);

/** Commands of whoever runs the installation (design §4). Each is loaded when it is called: a quick command starts quickly. */
export function operateCommands(program: Command): void {
  program
    .command('up')
    .description('run Haic')
    .option('-d, --detach', 'in the background')
    .option('--port <port>', 'port of the portal; scorers get the next one, Drive the one after')
    .option('--host <address>', 'address to listen on; anything but loopback needs TLS')
    .option('--tls-cert <file>', 'certificate chain (PEM)')
    .option('--tls-key <file>', 'private key (PEM)')
    .option('--issuer <url>', "your organisation's Keycloak realm, instead of accounts of Haic's own")
    .action(async (flags: UpFlags) => {
      const { up } = await import('./up.ts');
      await up({ detach: flags.detach === true }, withFlags(flags));
    });
  program
    .command('down')
    .description('stop Haic and all apps')
    .action(async () => (await import('./down.ts')).down(settings()));
  program
    .command('status')
    .description('what runs, and whether it is well')
    .option('--json', 'JSON on stdout')
    .action(async (flags: { json?: boolean }) =>
      (await import('./status.ts')).status(settings(), { json: flags.json === true }),
    );
  program
    .command('logs [service]')
    .description('logs of the platform')
    .option('-f, --follow', 'go on as lines are written')
    .option('--tail <lines>', 'how many lines to start with', '100')
    .action(async (service: string | undefined, flags: { follow?: boolean; tail: string }) =>
      (await import('./logs.ts')).logs(settings(), {
        service,
        follow: flags.follow === true,
        tail: Number(flags.tail) || 100,
      }),
    );
  program
    .command('doctor')
    .description('what this machine lacks, and how to get it')
    .option('--json', 'JSON on stdout')
    .option('--settings', 'the reference of all settings')
    .action(async (flags: { json?: boolean; settings?: boolean }) =>
      (await import('./doctor.ts')).doctor(settings(), {
        json: flags.json === true,
        settings: flags.settings === true,
      }),
    );
  copyCommands(program);
  issuerCommands(program);
  userCommands(program);
  serviceAccountCommands(program);
  program
    .command('token')
    .description('a platform token (refresh token, alone on stdout)')
    .requiredOption('--user <name>', 'whose')
    .action(async (flags: { user: string }) =>
      (await import('./users.ts')).printToken(settings(), flags.user),
    );
  program
    .command('test [area]')
    .description('run the tests, installing what they need')
    .addOption(
      new Option('--size <size>', 'ci: every area in minutes; full: long fuzzing, many kills')
        .choices(['ci', 'full'])
        .default('ci'),
    )
    .option('--list', 'list the areas')
    .action(async (area: string | undefined, flags: { size: 'ci' | 'full'; list?: boolean }) =>
      (await import('./test.ts')).runTests({ area, size: flags.size, list: flags.list === true }),
    );
  program
    .command('bench [area]')
    .description('benchmarks against peers, side by side')
    .option('--json <file>', 'also write the rows there')
    .action(async (area: string | undefined, flags: { json?: string }) =>
      (await import('./bench.ts')).runBenchmarks({ area, json: flags.json }),
    );
}

function issuerCommands(program: Command): void {
  const issuer = program
    .command('issuer')
    .description("who signs people in: an issuer of your organisation, or Haic's own");
  issuer
    .command('realm')
    .description('the Keycloak realm that Haic needs, to import there: JSON with the secrets of its clients')
    .action(async () => (await import('./issuer.ts')).printRealm(settings()));
  issuer
    .command('rotate-keys')
    .description("new keys for Haic's own issuer; nobody is signed out")
    .action(async () => (await import('./rotate-keys.ts')).rotateKeys(settings()));
}

function copyCommands(program: Command): void {
  program
    .command('backup <file>')
    .description('everything in one file, while Haic runs or not')
    .option('--encrypt', 'ask for a passphrase, without which nobody opens the file')
    .option('--passphrase-stdin', 'read the passphrase from stdin')
    .action(async (file: string, flags: { encrypt?: boolean; passphraseStdin?: boolean }) =>
      (await import('./backup/backup.ts')).backup(settings(), file, flags),
    );
  program
    .command('restore <file>')
    .description('put a backup back, here or on another machine')
    .option('--replace', 'in place of the Haic that is there, which is moved aside')
    .option('--passphrase-stdin', 'read the passphrase from stdin')
    .action(async (file: string, flags: { replace?: boolean; passphraseStdin?: boolean }) =>
      (await import('./restore/restore.ts')).restore(settings(), file, flags),
    );
}

function userCommands(program: Command): void {
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

/** Flags are settings said on the command line: they win over the environment. */
const withFlags = (flags: UpFlags): NodeJS.ProcessEnv => ({
  ...process.env,
  ...(flags.port === undefined ? {} : { HAIC_PORT: flags.port }),
  ...(flags.host === undefined ? {} : { HAIC_HOST: flags.host }),
  ...(flags.tlsCert === undefined ? {} : { HAIC_TLS_CERT: flags.tlsCert }),
  ...(flags.tlsKey === undefined ? {} : { HAIC_TLS_KEY: flags.tlsKey }),
  ...(flags.issuer === undefined ? {} : { HAIC_ISSUER: flags.issuer }),
});
