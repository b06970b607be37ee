/** Why the instance cannot run, for the person who waits: the message says what happened and what to do. */
export class LaunchFailure extends Error {
  /** The last lines of the tool or process that failed; shown on the status page. */
  readonly lines: readonly string[];

  constructor(message: string, lines: readonly string[] = [], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LaunchFailure';
    this.lines = lines;
  }
}
