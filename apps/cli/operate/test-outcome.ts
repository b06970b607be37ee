import path from 'node:path';

/** What the tests of one file came to. */
export interface FileCounts {
  /** Absolute; the area's name where the runner itself failed. */
  readonly file: string;
  passed: number;
  readonly failed: FailedTest[];
  skipped: number;
}

export interface FailedTest {
  /** With the names of the suites around it. */
  readonly name: string;
  /** The beginning of its error. */
  readonly said: string;
}

/**
 * Files that may be run once more: real browsers, clusters and crashes on a busy machine sometimes fail for reasons of the machine.
 * More than these failing is no accident, and a test that fails twice has failed.
 */
export const mostRunAgain = 2;

/** The files to run once more: those with a failed test, if they are few. */
export function filesToRunAgain(counts: readonly FileCounts[]): readonly string[] {
  const failed = counts.filter((file) => file.failed.length > 0).map((file) => file.file);
  return failed.length <= mostRunAgain && failed.every(path.isAbsolute) ? failed : [];
}

/** The counts with those of the second run in place of the first. */
export const withSecondRun = (
  first: readonly FileCounts[],
  second: readonly FileCounts[],
): readonly FileCounts[] => first.map((file) => second.find((again) => again.file === file.file) ?? file);

export const totals = (
  counts: readonly FileCounts[],
): { passed: number; failed: number; skipped: number } => ({
  passed: counts.reduce((sum, file) => sum + file.passed, 0),
  failed: counts.reduce((sum, file) => sum + file.failed.length, 0),
  skipped: counts.reduce((sum, file) => sum + file.skipped, 0),
});
