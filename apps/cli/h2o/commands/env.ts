import type { Command } from 'commander';
import { connectApi } from '../api.ts';
import { listRuntimeVersions } from '../environment.ts';
import { type CommonFlags, withJson } from './options.ts';

export function environmentCommands(program: Command): void {
  const env = program.command('env').description('what this Haic offers');
  const runtime = env.command('runtime-version').description('names for RuntimeVersion in app.toml');
  withJson(runtime.command('list').description('all of them')).action(async (flags: CommonFlags) =>
    listRuntimeVersions(await connectApi(flags), { json: flags.json === true }),
  );
}
