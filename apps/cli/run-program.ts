import process from 'node:process';
import { ConfigError } from '@haic/kit/config.ts';
import { HaicError, messageOf } from '@haic/kit/errors.ts';
import { Command, CommanderError } from 'commander';
import { CommandError, exitCodes, say, whenReaderLeaves } from './terminal.ts';

export const newProgram = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    // What stands behind a verb is for that verb, also where a verb before it knows the option (`bundle import --json`).
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, `${name}: `)) })
    .showHelpAfterError('(see --help)');

/** Runs what was asked for; the exit code and what is said of errors are the same for every command (design §4). */
export async function runProgram(program: Command, words: readonly string[]): Promise<void> {
  whenReaderLeaves(() => process.exit(0));
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    process.exitCode = explain(program.name(), error);
  }
  // Whatever a failed command left open must not keep the shell waiting.
  if (process.exitCode !== undefined && process.exitCode !== 0) process.exit();
}

function explain(name: string, error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  if (error instanceof CommandError) {
    say(`${name}: ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof ConfigError) {
    say(error.message);
    return exitCodes.usage;
  }
  if (error instanceof HaicError) {
    say(`${name}: ${error.message} (${error.code})`);
    sayProblems(error);
    return error.status === 401 ? exitCodes.signInNeeded : exitCodes.error;
  }
  const isDebugged = error instanceof Error && process.env.HAIC_LOG_LEVEL === 'debug';
  say(`${name}: ${isDebugged ? error.stack : messageOf(error)}`);
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
