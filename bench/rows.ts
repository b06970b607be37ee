/** One comparison; `id` is the row of the performance page, or `"1.caddy"` where a row has several. */
export interface Row {
  readonly id: string;
  readonly name: string;
  readonly peer: string;
  /** null: could not be measured; `note` says why. */
  readonly ours: number | null;
  readonly theirs: number | null;
  readonly unit: string;
  /** ours / theirs; null where a side is missing or the goal is absolute. */
  readonly ratio: number | null;
  readonly goal: string;
  readonly met: boolean;
  readonly note?: string;
}

interface Measured {
  readonly id: string;
  readonly name: string;
  readonly peer: string;
  readonly unit: string;
  readonly ours: number | null;
  readonly theirs: number | null;
  readonly note?: string;
}

/** Goal: a ratio of at most `most`, or just to know (`most` undefined). */
export function compare(measured: Measured, most: number | undefined): Row {
  const { ours, theirs } = measured;
  const ratio = ratioOf(ours, theirs);
  return {
    ...measured,
    ratio,
    goal: most === undefined ? 'to know' : `<= ${most}`,
    met: most === undefined ? ratio !== null : ratio !== null && ratio <= most,
  };
}

/** Goal: a ratio of at least `least`. */
export function atLeast(measured: Measured, least: number): Row {
  const row = compare(measured, undefined);
  return { ...row, goal: `>= ${least}`, met: row.ratio !== null && row.ratio >= least };
}

/** Goal: our figure at most `most`, whatever the peer's. */
export function atMost(measured: Measured, most: number): Row {
  const { ours, theirs } = measured;
  return {
    ...measured,
    ratio: ratioOf(ours, theirs),
    goal: `<= ${most} ${measured.unit}`,
    met: ours !== null && ours <= most,
  };
}

/** A count of zero has no ratio. */
const ratioOf = (ours: number | null, theirs: number | null): number | null =>
  ours === null || theirs === null || theirs === 0 ? null : ours / theirs;

/** A row that could not be measured says why instead of vanishing. */
export const unmeasured = (id: string, name: string, why: string): Row => ({
  ...compare({ id, name, peer: '-', unit: '', ours: null, theirs: null }, undefined),
  note: `could not be measured: ${why}`,
});

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** How far the rounds lie apart, so that a reader knows what to trust: "median (least to most)". */
export const spread = (values: readonly number[]): string =>
  values.length === 0 ? 'none' : `${short(Math.min(...values))} to ${short(Math.max(...values))}`;

export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.id,
    row.name,
    row.peer,
    figure(row.ours, row.unit),
    figure(row.theirs, row.unit),
    row.ratio === null ? '-' : row.ratio.toFixed(2),
    row.goal,
    row.met ? 'yes' : 'NO',
  ]);
  const all = [['row', 'what', 'against', 'ours', 'theirs', 'ratio', 'goal', 'met'], ...cells];
  const widths = (all[0] ?? []).map((_, column) =>
    Math.max(...all.map((line) => (line[column] ?? '').length)),
  );
  const lines = all.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const notes = rows.flatMap((row) => (row.note === undefined ? [] : [`  ${row.id}: ${row.note}`]));
  return [...lines, ...(notes.length === 0 ? [] : ['', 'Notes', ...notes])].join('\n');
}

const figure = (value: number | null, unit: string): string =>
  value === null ? '-' : `${short(value)} ${unit}`;
const short = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
