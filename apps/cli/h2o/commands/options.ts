import { type Command, Option } from 'commander';
import { exitCodes } from '../../terminal.ts';
import { type Api, type ConnectionFlags, connectApi } from '../api.ts';

export interface CommonFlags extends ConnectionFlags {
  readonly json?: boolean;
}

export const withConfig = (command: Command): Command =>
  command
    .option('--conf <path>', 'configuration file of the CLI')
    .option('--ca <file>', 'certificate (PEM) of an own authority to trust as well');

export const withJson = (command: Command): Command => withConfig(command).option('--json', 'JSON on stdout');

export const visibility = (): Option =>
  new Option('-v, --visibility <visibility>', 'who may see it').choices(['PRIVATE', 'ALL_USERS', 'PUBLIC']);
export const visibilityOfNew = (): Option => visibility().default('PRIVATE');

/** What `update` changes; one of them at least. */
export interface Changes {
  readonly visibility?: string;
  readonly owner?: string;
}

export const withChanges = (command: Command): Command =>
  command
    .addOption(visibility())
    .option('--owner <name>', 'user name of who shall own it from now on')
    .hook('preAction', (_program, action) => {
      const { visibility, owner } = action.opts<Changes>();
      if (visibility === undefined && owner === undefined)
        action.error('error: say what to change: -v <visibility> or --owner <name>', {
          exitCode: exitCodes.usage,
        });
    });

/** A command about one thing: `<verb> <id>`. */
export const onOne = <F extends CommonFlags>(
  command: Command,
  act: (api: Api, id: string, flags: F & { json: boolean }) => Promise<void>,
): Command =>
  withJson(command).action(async (id: string, flags: F) =>
    act(await connectApi(flags), id, { ...flags, json: flags.json === true }),
  );
