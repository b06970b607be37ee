import { HaicError, messageOf } from '@haic/kit/errors.ts';
import type { EnvironmentFailed, EnvironmentNeedsBuild } from './client.ts';
import { diskFullMessage, explain, isDiskFull } from './explain.ts';
import type { Interpreter } from './interpreters.ts';

export const failed = (message: string, lines: readonly string[] = []): EnvironmentFailed => ({
  type: 'failed',
  message,
  lines,
});

export const needsBuild = (
  what: { packages: readonly string[]; message: string },
  interpreter: Interpreter,
  cutOffs: readonly string[] = [],
): EnvironmentNeedsBuild => ({
  type: 'needs-build',
  packages: what.packages,
  message: what.message,
  interpreter: interpreter.path,
  cutOffs,
});

/** The outcome that follows from what uv said when it failed. */
export function outcomeOfUv(
  lines: readonly string[],
  interpreter: Interpreter,
): EnvironmentNeedsBuild | EnvironmentFailed {
  const explanation = explain(lines);
  return explanation.kind === 'failed' ? explanation.failure : needsBuild(explanation, interpreter);
}

export function outcomeOfError(error: unknown): EnvironmentFailed {
  if (error instanceof HaicError) return failed(error.message);
  if (isDiskFull(messageOf(error))) return failed(diskFullMessage);
  return failed(`The installer failed: ${messageOf(error)}`);
}

export function noInterpreter(wanted: string, available: readonly Interpreter[]): EnvironmentFailed {
  if (available.length === 0)
    return failed('No Python that apps can use was found. Install python3 (Debian: apt install python3).');
  const versions = available.map((item) => item.version).join(', ');
  return failed(`Python ${wanted} is not installed here. There is: ${versions}.`);
}
