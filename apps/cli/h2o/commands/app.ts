import { type Command, Option } from 'commander';
import { connectApi } from '../api.ts';
import { deleteApp, getApp, importApp, listApps, runApp, updateApp } from '../apps.ts';
import { printPartOfApp, printPartOfBundle } from '../bundle-parts.ts';
import { downloadApp } from '../download.ts';
import { type Changes, type CommonFlags, onOne, visibilityOfNew, withChanges, withJson } from './options.ts';

type WithVisibility = CommonFlags & { readonly visibility: string };

const part = () =>
  new Option('-t, --type <part>', 'which part of it')
    .choices(['REQUIREMENTS', 'PACKAGES', 'FILES', 'APP'])
    .default('REQUIREMENTS');

export function appCommands(program: Command): void {
  const app = program.command('app').description('apps of the store');
  withJson(
    app
      .command('list')
      .description('your own apps, the newest first')
      .option('-a, --all', 'everything visible, not only your own')
      .option('--precondition', 'whether each can be run as things are'),
  ).action(async (flags: CommonFlags & { all?: boolean; precondition?: boolean }) =>
    listApps(await connectApi(flags), {
      all: flags.all === true,
      precondition: flags.precondition === true,
      json: flags.json === true,
    }),
  );
  onOne(app.command('get <id>').description('one app'), getApp);
  onOne<WithVisibility>(
    app.command('import <bundle>').description('put a bundle into the store').addOption(visibilityOfNew()),
    importApp,
  );
  onOne<WithVisibility>(
    app.command('run <id>').description('start an instance of it').addOption(visibilityOfNew()),
    runApp,
  );
  onOne<CommonFlags & Changes>(
    withChanges(app.command('update <id>').description('change who may see it, or whose it is')),
    updateApp,
  );
  onOne<CommonFlags & { yes?: boolean }>(
    app.command('delete <id>').description('delete it for good').option('-y, --yes', 'do not ask'),
    (api, id, flags) => deleteApp(api, id, { yes: flags.yes === true, json: flags.json }),
  );
  withJson(
    app
      .command('download <id> [path]')
      .description('its bundle as <name>.<version>.wave')
      .option('--extract', 'its files instead of the bundle'),
  ).action(async (id: string, target: string | undefined, flags: CommonFlags & { extract?: boolean }) =>
    downloadApp(await connectApi(flags), id, {
      target,
      extract: flags.extract === true,
      json: flags.json === true,
    }),
  );
  onOne<CommonFlags & { type: string }>(
    app.command('meta <id>').description('what it requires, its files, its app.toml').addOption(part()),
    (api, id, flags) => printPartOfApp(api, id, { part: flags.type, json: flags.json }),
  );
  app
    .command('inspect <path>')
    .description('the same of a bundle or folder here')
    .addOption(part())
    .option('--json', 'JSON on stdout')
    .action((path: string, flags: { type: string; json?: boolean }) =>
      printPartOfBundle(path, { part: flags.type, json: flags.json === true }),
    );
}
