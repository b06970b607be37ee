import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { print, say } from '../terminal.ts';
import { connectApi } from './api.ts';
import { deleteApp, deployApp, getApp, importApp, listApps, runApp, updateApp } from './apps.ts';
import { trialManifest, writeBundle } from './bundle.ts';
import { printAccessToken, printTokenInfo, setupConfig, updateToken } from './config.ts';
import { downloadApp } from './download.ts';
import {
  getInstance,
  instanceLogs,
  instanceStatus,
  listInstances,
  resumeInstance,
  suspendInstance,
  terminateInstance,
  updateInstance,
} from './instances.ts';

interface Common {
  readonly conf?: string;
  readonly json?: boolean;
}

const visibility = () =>
  new Option('-v, --visibility <visibility>', 'who may see it')
    .choices(['PRIVATE', 'ALL_USERS', 'PUBLIC'])
    .default('PRIVATE');
const withConfig = (command: Command) => command.option('--conf <path>', 'configuration file of the CLI');
const withCommon = (command: Command) => withConfig(command).option('--json', 'JSON on stdout');

/** The `h2o` verbs (contracts/app-store.md §9): what app developers and data scientists use. */
export function h2oCommands(program: Command): void {
  bundleCommands(program);
  appCommands(program.command('app').description('apps of the store'));
  instanceCommands(program.command('instance').description('running apps'));
  configCommands(program);
}

function bundleCommands(program: Command): void {
  const bundle = program
    .command('bundle [directory]')
    .description('write <name>.<version>.wave of an app')
    .option('-o, --output <directory>', 'where to write it', '.')
    .action(async (directory: string | undefined, options: { output: string }) => {
      const file = await writeBundle(path.resolve(directory ?? '.'), path.resolve(options.output));
      print(file);
      say(`Import it: ./haic app import ${path.relative(process.cwd(), file)}`);
    });
  withCommon(
    bundle.command('import [directory]').description('bundle and import').addOption(visibility()),
  ).action(async (directory: string | undefined, options: Common & { visibility: string }) => {
    const file = await writeBundle(path.resolve(directory ?? '.'), path.resolve('.'));
    await importApp(await connectApi(options.conf), file, {
      visibility: options.visibility,
      json: options.json === true,
    });
  });
  withCommon(
    bundle
      .command('deploy [directory]')
      .description(
        'bundle, import and run; the version gets the time, so that each trial is a version of its own',
      )
      .addOption(visibility())
      .addOption(
        new Option('--generate-version <yes>', 'add -YYYYMMDDHHMMSS to the version')
          .choices(['true', 'false'])
          .default('true'),
      ),
  ).action(deployDirectory);
}

async function deployDirectory(
  directory: string | undefined,
  options: Common & { visibility: string; generateVersion: string },
): Promise<void> {
  const suffix = options.generateVersion === 'true' ? `-${timestamp(new Date())}` : '';
  const folder = await mkdtemp(path.join(tmpdir(), 'haic-deploy-'));
  try {
    const source = path.resolve(directory ?? '.');
    const file = await writeBundle(source, folder, (text) => trialManifest(text, suffix));
    await deployApp(await connectApi(options.conf), file, {
      visibility: options.visibility,
      json: options.json === true,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** YYYYMMDDHHMMSS, UTC. */
const timestamp = (now: Date): string => now.toISOString().replace(/\D/g, '').slice(0, 14);

function appCommands(app: Command): void {
  withCommon(app.command('list').option('-a, --all', 'everything visible, not only your own')).action(
    async (options: Common & { all?: boolean }) =>
      listApps(await connectApi(options.conf), { all: options.all === true, json: options.json === true }),
  );
  withCommon(app.command('get <id>')).action(async (id: string, options: Common) =>
    getApp(await connectApi(options.conf), id, { json: options.json === true }),
  );
  withCommon(app.command('import <bundle>').addOption(visibility())).action(
    async (file: string, options: Common & { visibility: string }) =>
      void (await importApp(await connectApi(options.conf), file, {
        visibility: options.visibility,
        json: options.json === true,
      })),
  );
  withCommon(app.command('run <id>').addOption(visibility())).action(
    async (id: string, options: Common & { visibility: string }) =>
      runApp(await connectApi(options.conf), id, {
        visibility: options.visibility,
        json: options.json === true,
      }),
  );
  withConfig(
    app.command('download <id> [path]').option('--extract', 'its files instead of the bundle'),
  ).action(async (id: string, target: string | undefined, options: Common & { extract?: boolean }) =>
    downloadApp(await connectApi(options.conf), id, { target, extract: options.extract === true }),
  );
  const newVisibility = new Option('-v, --visibility <visibility>', 'who may see it from now on')
    .choices(['PRIVATE', 'ALL_USERS', 'PUBLIC'])
    .makeOptionMandatory();
  withCommon(app.command('update <id>').addOption(newVisibility)).action(
    async (id: string, options: Common & { visibility: string }) =>
      updateApp(await connectApi(options.conf), id, {
        visibility: options.visibility,
        json: options.json === true,
      }),
  );
  withCommon(app.command('delete <id>').option('--yes', 'do not ask')).action(
    async (id: string, options: Common & { yes?: boolean }) =>
      deleteApp(await connectApi(options.conf), id, { yes: options.yes === true }),
  );
}

function instanceCommands(instance: Command): void {
  withCommon(instance.command('list').option('-a, --all', 'everything visible, not only your own')).action(
    async (options: Common & { all?: boolean }) =>
      listInstances(await connectApi(options.conf), {
        all: options.all === true,
        json: options.json === true,
      }),
  );
  withCommon(instance.command('get <id>')).action(async (id: string, options: Common) =>
    getInstance(await connectApi(options.conf), id, { json: options.json === true }),
  );
  withCommon(instance.command('status <id>')).action(async (id: string, options: Common) =>
    instanceStatus(await connectApi(options.conf), id, { json: options.json === true }),
  );
  withCommon(
    instance
      .command('logs <id>')
      .option('-f, --follow', 'go on as lines are written')
      .option('--previous', 'of the process before the last restart')
      .option('--tail <lines>', 'only the last lines'),
  ).action(async (id: string, options: Common & { follow?: boolean; previous?: boolean; tail?: string }) =>
    instanceLogs(await connectApi(options.conf), id, {
      follow: options.follow === true,
      previous: options.previous === true,
      tail: options.tail,
    }),
  );
  for (const [name, description, act] of [
    ['suspend', 'pause it; its data volume is kept', suspendInstance],
    ['resume', 'start a paused one again', resumeInstance],
  ] as const) {
    withCommon(instance.command(`${name} <id>`).description(description)).action(
      async (id: string, options: Common) =>
        act(await connectApi(options.conf), id, { json: options.json === true }),
    );
  }
  withCommon(
    instance
      .command('update <id>')
      .description('change who may open it')
      .addOption(visibility().default(undefined).makeOptionMandatory()),
  ).action(async (id: string, options: Common & { visibility: string }) =>
    updateInstance(await connectApi(options.conf), id, {
      visibility: options.visibility,
      json: options.json === true,
    }),
  );
  withCommon(instance.command('terminate <id>')).action(async (id: string, options: Common) =>
    terminateInstance(await connectApi(options.conf), id),
  );
}

function configCommands(program: Command): void {
  const config = program.command('config').description('where Haic is, and your tokens');
  config
    .command('setup')
    .option('--conf <path>')
    .option('--endpoint <url>', 'address of Haic')
    .action((options: { conf?: string; endpoint?: string }) =>
      setupConfig({ conf: options.conf, endpoint: options.endpoint }),
    );
  for (const [name, kind] of [
    ['update-token', 'cli'],
    ['update-platform-token', 'platform'],
  ] as const) {
    config
      .command(name)
      .option('--conf <path>')
      .action((options: { conf?: string }) => updateToken({ conf: options.conf, kind }));
  }
  const platform = program.command('platform').description('tokens for other clients');
  platform
    .command('access-token')
    .option('--conf <path>')
    .action((options: { conf?: string }) => printAccessToken({ conf: options.conf }));
  platform
    .command('token-info')
    .option('--conf <path>')
    .action((options: { conf?: string }) => printTokenInfo({ conf: options.conf }));
}
