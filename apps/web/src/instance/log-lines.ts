// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminals colour with
const terminalCodes = /\u001b\[[0-9;?]*[A-Za-z]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\r(?!$)|\r$/g;

/** A line without the codes that colour it on a terminal. */
export const plainLine = (line: string): string => line.replace(terminalCodes, '');

export interface LogLine {
  readonly number: number;
  readonly text: string;
}

/** More than anybody reads on a page; the whole log is there to download. */
export const keptLines = 10_000;
export const chunkSize = 200;

export interface LogChunk {
  readonly key: number;
  readonly lines: readonly LogLine[];
}

/**
 * Adds lines to chunks of a fixed size. Full chunks keep their identity, so that React redraws only the last one. A line that is
 * there already (after a reconnect that overlaps) is not added twice.
 */
export function appendLines(chunks: readonly LogChunk[], added: readonly LogLine[]): readonly LogChunk[] {
  const last = chunks.at(-1);
  let lines = last === undefined ? [] : [...last.lines];
  let highest = lines.at(-1)?.number ?? 0;
  const result = chunks.slice(0, -1);
  for (const line of added) {
    if (line.number <= highest) continue;
    highest = line.number;
    if (lines.length === chunkSize) {
      result.push(chunkOf(lines));
      lines = [];
    }
    lines.push(line);
  }
  if (lines.length > 0) result.push(chunkOf(lines));
  const surplus = result.length - keptLines / chunkSize;
  return surplus > 0 ? result.slice(surplus) : result;
}

const chunkOf = (lines: readonly LogLine[]): LogChunk => ({ key: lines[0]?.number ?? 0, lines });

export const matchingLines = (chunks: readonly LogChunk[], query: string): readonly number[] => {
  const needle = query.toLowerCase();
  if (needle === '') return [];
  return chunks.flatMap((chunk) =>
    chunk.lines.filter((line) => line.text.toLowerCase().includes(needle)).map((line) => line.number),
  );
};
