import process from 'node:process';
import { ConfigError } from '@haic/kit/config.ts';
import { HaicError, messageOf } from '@haic/kit/errors.ts';
import { trustOwnAuthority } from '@haic/server/trust.ts';
import { Command, CommanderError } from 'commander';
import { h2oCommands } from './h2o/commands.ts';
import { operateCommands } from './operate/commands.ts';
import { CommandError, exitCodes, say } from './terminal.ts';

const program = new Command('haic')
  .description('An open, self-hosted H2O AI Cloud.')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'haic: ')) })
  .showHelpAfterError('(see --help)');
operateCommands(program);
h2oCommands(program);

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  if (error instanceof CommandError) {
    say(`haic: ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof ConfigError) {
    say(error.message);
    return exitCodes.usage;
  }
  if (error instanceof HaicError) {
    say(`haic: ${error.message}`);
    sayProblems(error);
    return error.status === 401 ? exitCodes.signInNeeded : exitCodes.error;
  }
  say(
    `haic: ${error instanceof Error && process.env.HAIC_LOG_LEVEL === 'debug' ? error.stack : messageOf(error)}`,
  );
  return exitCodes.error;
}

/** A bundle that is refused comes with every problem of it: the file, the key, and what to do. */
function sayProblems(error: HaicError): void {
  const problems = error.details?.problems;
  if (!Array.isArray(problems)) return;
  for (const problem of problems as { file?: string; key?: string; message?: string; remedy?: string }[]) {
    const where = [problem.file, problem.key].filter((part) => part !== undefined && part !== '').join(', ');
    say(`  - ${where === '' ? '' : `${where}: `}${problem.message ?? ''} ${problem.remedy ?? ''}`.trimEnd());
  }
}

try {
  await trustOwnAuthority(process.env.HAIC_CA_FILE || undefined);
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = explain(error);
}
// Whatever a failed command left open must not keep the shell waiting.
if (process.exitCode !== undefined && process.exitCode !== 0) process.exit();
