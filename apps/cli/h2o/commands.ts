import type { Command } from 'commander';
import { appCommands } from './commands/app.ts';
import { bundleCommands } from './commands/bundle.ts';
import { configCommands, platformCommands } from './commands/config.ts';
import { environmentCommands } from './commands/env.ts';
import { instanceCommands } from './commands/instance.ts';

/** The `h2o` verbs (contracts/app-store.md §9): what app developers and data scientists use. */
export function h2oCommands(program: Command): void {
  bundleCommands(program);
  appCommands(program);
  instanceCommands(program);
  environmentCommands(program);
  configCommands(program);
  platformCommands(program);
}
