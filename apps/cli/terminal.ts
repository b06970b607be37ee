import process from 'node:process';
import { Writable } from 'node:stream';

/** stdout is data, stderr is talk: whatever a script may want to cut comes by `print`, everything else by `say`. */
export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** When whoever reads stdout (`| head`) has gone: by default there is nothing left to do. */
export function whenReaderLeaves(act: () => void): void {
  process.stdout.removeAllListeners('error');
  process.stdout.on('error', act);
}

/** Exit codes of every command (design §4). */
export const exitCodes = { error: 1, usage: 2, signInNeeded: 4 } as const;

/** Ends the command with a message and, where there is one, the next command to try. */
export class CommandError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number = exitCodes.error) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

/**
 * Titles and descriptions are what authors of apps wrote: a line break or tab in one would forge a row for the script that cuts it, an
 * escape sequence would act on the terminal.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');

/** A table with a header row; columns aligned by two spaces, the last one not padded, so that awk cuts it. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows.map((row) => row.map(plain))];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ');
  return all.map(line).join('\n');
}

/** `Key<TAB>Value` lines, as release scripts cut them. */
export const record = (fields: readonly (readonly [string, string])[]): string =>
  fields.map(([key, value]) => `${key}\t${plain(value)}`).join('\n');

/** The data of a command: as people and scripts read it, or as JSON. */
export function output(json: boolean, value: unknown, asText: () => string): void {
  print(json ? JSON.stringify(value, undefined, 2) : asText());
}

/**
 * Steps of something long: one line each, with the time it took when that is worth telling. The work may tell how far it is; a
 * terminal shows it as it comes, a log every half minute, the line at the end the last of it.
 */
export async function step<T>(
  title: string,
  work: (tell: (detail: string) => void) => Promise<T>,
): Promise<T> {
  const live = process.stderr.isTTY === true;
  const started = performance.now();
  let detail = '';
  let shownAt = live ? 0 : started;
  const tell = (now: string) => {
    detail = `: ${now}`;
    if (performance.now() - shownAt < (live ? 100 : 30_000)) return;
    shownAt = performance.now();
    process.stderr.write(live ? `\r\u001b[K  … ${title}${detail}` : `  … ${title}${detail}\n`);
  };
  process.stderr.write(live ? `  … ${title}` : '');
  const finish = (mark: string) => {
    const seconds = (performance.now() - started) / 1000;
    process.stderr.write(
      `${live ? '\r\u001b[K' : ''}  ${mark} ${title}${detail}${seconds >= 0.5 ? ` (${seconds.toFixed(1)} s)` : ''}\n`,
    );
  };
  try {
    const value = await work(tell);
    finish('✓');
    return value;
  } catch (error) {
    finish('✗');
    throw error;
  }
}

/** All of standard input, without its final newline. */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

/** Asks on a terminal, unless `yes` says that it is meant; a script means what it says. */
export async function confirmOnTerminal(question: string, yes: boolean): Promise<void> {
  if (!yes && process.stdin.isTTY === true) await confirm(question, '--yes');
}

/** Asks on a terminal; where there is none, the command must have been given the flag that it names. */
export async function confirm(question: string, flag: string): Promise<void> {
  if (process.stdin.isTTY !== true)
    throw new CommandError(`${question} Say so with ${flag}.`, exitCodes.usage);
  const answer = await ask(`${question} [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('Nothing was changed.');
}

/** What is secret is not echoed. */
export async function ask(question: string, options: { secret?: boolean } = {}): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (options.secret === true) process.stderr.write(question);
  const terminal = createInterface({
    input: process.stdin,
    output: options.secret === true ? silent : process.stderr,
    terminal: true,
  });
  const interrupted = new AbortController();
  terminal.once('SIGINT', () => interrupted.abort());
  try {
    return await terminal.question(options.secret === true ? '' : question, { signal: interrupted.signal });
  } catch {
    throw new CommandError('Nothing was changed.');
  } finally {
    terminal.close();
    if (options.secret === true) process.stderr.write('\n');
  }
}

/** 3s, 5m, 2h, 4d: how long ago, as lists show it. */
export function age(iso: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
