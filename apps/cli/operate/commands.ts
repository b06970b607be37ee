import process from 'node:process';
import { readSettings } from '@haic/server/settings.ts';
import { type Command, Option } from 'commander';
import { auditCommands } from './audit-commands.ts';
import { foreignResourceCommands } from './foreign-resource-commands.ts';
import { kubeCommands } from './kube-commands.ts';
import { serviceAccountCommands } from './service-account-commands.ts';
import { userCommands } from './user-commands.ts';

interface UpFlags {
  readonly detach?: boolean;
  readonly port?: string;
  readonly host?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly issuer?: string;
}

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
  secureStoreCommands(program);
  userCommands(program);
  serviceAccountCommands(program);
  foreignResourceCommands(program);
  auditCommands(program);
  kubeCommands(program);
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
    .option(
      '--drop-old',
      'the old ones became known: refuse all that they signed at once, and sign everybody out',
    )
    .option('--yes', 'do not ask')
    .action(async (flags: { dropOld?: boolean; yes?: boolean }) => {
      const { replaceKeys, rotateKeys } = await import('./rotate-keys.ts');
      await (flags.dropOld === true
        ? replaceKeys(settings(), { yes: flags.yes === true })
        : rotateKeys(settings()));
    });
}

function secureStoreCommands(program: Command): void {
  const store = program.command('secure-store').description('the keys that wrap what the secure store keeps');
  store
    .command('rotate-key')
    .description('a new key wraps every secret, while everything goes on')
    .action(async () => (await import('./secure-store.ts')).rotateSecretsKey(settings()));
  store
    .command('status')
    .description('which keys there are, and how much each wraps')
    .option('--json', 'JSON on stdout')
    .action(async (flags: { json?: boolean }) =>
      (await import('./secure-store.ts')).printSecretsKeys(settings(), { json: flags.json === true }),
    );
}

function copyCommands(program: Command): void {
  program
    .command('backup <file>')
    .description('everything in one file, while Haic runs or not')
    .option('--encrypt', 'ask for a passphrase, without which nobody opens the file')
    .option('--passphrase-stdin', 'read the passphrase from stdin')
    .option('--objects', 'bundles and objects also when they are in a store of their own (HAIC_BLOB_STORE)')
    .action(
      async (file: string, flags: { encrypt?: boolean; passphraseStdin?: boolean; objects?: boolean }) =>
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

/** Flags are settings said on the command line: they win over the environment. */
const withFlags = (flags: UpFlags): NodeJS.ProcessEnv => ({
  ...process.env,
  ...(flags.port === undefined ? {} : { HAIC_PORT: flags.port }),
  ...(flags.host === undefined ? {} : { HAIC_HOST: flags.host }),
  ...(flags.tlsCert === undefined ? {} : { HAIC_TLS_CERT: flags.tlsCert }),
  ...(flags.tlsKey === undefined ? {} : { HAIC_TLS_KEY: flags.tlsKey }),
  ...(flags.issuer === undefined ? {} : { HAIC_ISSUER: flags.issuer }),
});
