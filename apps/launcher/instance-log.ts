/** Who wrote a line of the instance's log. */
export type LogSource = 'launcher' | 'install' | 'waved' | 'app';

const keptLines = 200;

/**
 * The instance log: everything the launcher, waved and the app say, on stdout with a plain prefix. Keeps the last lines in memory
 * for the status page. Values that the launcher knows to be secret are masked, whoever prints them.
 */
export class InstanceLog {
  readonly #write: (text: string) => void;
  readonly #secrets: string[] = [];
  readonly #kept: { source: LogSource; line: string }[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(write: (text: string) => void = (text) => void process.stdout.write(text)) {
    this.#write = write;
  }

  mask(secret: string): void {
    if (secret.length >= 8) this.#secrets.push(secret);
  }

  onLine(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  line(source: LogSource, text: string): void {
    let line = text;
    for (const secret of this.#secrets)
      if (line.includes(secret)) line = line.replaceAll(secret, '[redacted]');
    this.#write(`${source.padEnd(8)} | ${line}\n`);
    this.#kept.push({ source, line: withoutControls(line) });
    if (this.#kept.length > keptLines) this.#kept.shift();
    for (const listener of this.#listeners) listener();
  }

  /** The last lines, oldest first; of one writer when `source` is given. */
  last(count: number, source?: LogSource): string[] {
    const lines = source === undefined ? this.#kept : this.#kept.filter((entry) => entry.source === source);
    return lines.slice(-count).map((entry) => entry.line);
  }
}

const escapeCharacter = String.fromCharCode(27);
const terminalCodes = new RegExp(`${escapeCharacter}(\\[[0-9;?]*[ -/]*[@-~]|\\][^${escapeCharacter}]*)`, 'g');

/** Colours and cursor movements mean nothing on a page. */
function withoutControls(line: string): string {
  const plain = line.includes(escapeCharacter) ? line.replace(terminalCodes, '') : line;
  return Array.from(plain, (character) => (character >= ' ' || character === '\t' ? character : '')).join('');
}
