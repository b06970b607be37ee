import type { Command } from 'commander';
import { appCommands } from './commands/app.ts';
import { bundleCommands } from './commands/bundle.ts';
import { configCommands, platformCommands } from './commands/config.ts';
import { environmentCommands } from './commands/env.ts';
import { adminInstanceCommands, instanceCommands } from './commands/instance.ts';
import { adminSecretCommands, secretCommands } from './commands/secret.ts';

/** The `h2o` verbs (contracts/app-store.md §9): what app developers and data scientists use. */
export function h2oCommands(program: Command): void {
  bundleCommands(program);
  appCommands(program);
  instanceCommands(program);
  secretCommands(program);
  environmentCommands(program);
  configCommands(program);
  platformCommands(program);
  const admin = program.command('admin').description('for administrators');
  adminInstanceCommands(admin);
  adminSecretCommands(admin);
}
