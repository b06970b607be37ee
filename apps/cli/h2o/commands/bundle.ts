import path from 'node:path';
import { type Command, Option } from 'commander';
import { output, say } from '../../terminal.ts';
import { connectApi } from '../api.ts';
import { importApp } from '../apps.ts';
import { writeBundle } from '../bundle.ts';
import { commandName } from '../command-name.ts';
import { deployBundle, testBundle } from '../deploy.ts';
import { type CommonFlags, visibilityOfNew, withJson } from './options.ts';

const folderOf = (directory: string | undefined) => path.resolve(directory ?? '.');

export function bundleCommands(program: Command): void {
  const bundle = program
    .command('bundle [directory]')
    .description('write <name>.<version>.wave of an app')
    .enablePositionalOptions()
    .option('-o, --output <directory>', 'where to write it', '.')
    .option('--json', 'JSON on stdout')
    .action(async (directory: string | undefined, flags: { output: string; json?: boolean }) => {
      const file = await writeBundle(folderOf(directory), path.resolve(flags.output));
      output(flags.json === true, { path: file }, () => file);
      say(`Import it: ${commandName} app import ${path.relative(process.cwd(), file)}`);
    });
  withJson(
    bundle.command('import [directory]').description('bundle and import').addOption(visibilityOfNew()),
  ).action(async (directory: string | undefined, flags: CommonFlags & { visibility: string }) => {
    const api = await connectApi(flags);
    const file = await writeBundle(folderOf(directory), path.resolve('.'));
    await importApp(api, file, { visibility: flags.visibility, json: flags.json === true });
  });
  for (const [verb, description, act] of [
    ['deploy', 'bundle, import and run', deployBundle],
    [
      'test',
      'bundle, import and run, and show the log; Ctrl-C terminates the instance and deletes the app',
      testBundle,
    ],
  ] as const)
    withJson(
      bundle
        .command(`${verb} [directory]`)
        .description(description)
        .addOption(visibilityOfNew())
        .addOption(
          new Option(
            '--generate-version <yes>',
            'add -YYYYMMDDHHMMSS to the version, so that each trial is a version of its own',
          )
            .choices(['true', 'false'])
            .default('true'),
        ),
    ).action(
      async (
        directory: string | undefined,
        flags: CommonFlags & { visibility: string; generateVersion: string },
      ) =>
        act(await connectApi(flags), folderOf(directory), {
          visibility: flags.visibility,
          generateVersion: flags.generateVersion === 'true',
          json: flags.json === true,
        }),
    );
}
