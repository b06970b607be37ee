import { entriesOf } from './lock.ts';
import repairs from './repairs.json' with { type: 'json' };
import { normaliseName } from './requirements.ts';

/**
 * Packages that an index gives together and that do not work together: what their authors could not know when they published. Data
 * (repairs.json), so that the next one of its kind needs no code.
 */
export interface KnownBreak {
  readonly name: string;
  /** Package → the versions that break, e.g. ">=1,<2". All of them have to be there. */
  readonly when: Readonly<Record<string, string>>;
  /** Requirements that keep them apart, as lines of a constraints file. */
  readonly constrain: readonly string[];
  /** A plain sentence for the log of the instance. */
  readonly because: string;
}

/** Throws for an entry that could never match or constrain: a mistake in the data is to be seen at the start. */
export function checkKnownBreaks(breaks: readonly KnownBreak[]): readonly KnownBreak[] {
  for (const { name, when, constrain, because } of breaks) {
    const specifiers = Object.values(when);
    if (specifiers.length === 0 || constrain.length === 0 || because === '')
      throw new Error(`The repair "${name}" needs when, constrain and because.`);
    for (const specifier of specifiers) parseSpecifier(specifier, name);
  }
  return breaks;
}

/** The data of this release. */
export const knownBreaks: readonly KnownBreak[] = repairs.map((entry) => ({
  ...entry,
  // JSON's own type has a key for every package of any entry.
  when: entry.when as unknown as Readonly<Record<string, string>>,
}));

/** Those that a lock, or the output of `pip freeze`, runs into. */
export function findBreaks(lock: string, breaks: readonly KnownBreak[]): readonly KnownBreak[] {
  const versions = versionsOf(lock);
  return breaks.filter(({ name, when }) =>
    Object.entries(when).every(([packageName, specifier]) => {
      const version = versions.get(normaliseName(packageName));
      return version !== undefined && parseSpecifier(specifier, name).every((test) => test(version));
    }),
  );
}

export function versionsOf(lock: string): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const entry of entriesOf(lock)) {
    const match = /^([A-Za-z0-9._-]+)\s*==\s*([^\s;]+)/.exec(entry);
    if (match?.[1] !== undefined && match[2] !== undefined) versions.set(normaliseName(match[1]), match[2]);
  }
  return versions;
}

type Test = (version: string) => boolean;

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
};

function parseSpecifier(text: string, breakName: string): readonly Test[] {
  return text.split(',').map((part) => {
    const match = /^\s*(<=|>=|==|!=|<|>)\s*(\d+(?:\.\d+)*)\s*$/.exec(part);
    const compare = comparisons[match?.[1] ?? ''];
    const wanted = match?.[2];
    if (compare === undefined || wanted === undefined)
      throw new Error(`The repair "${breakName}" has versions that cannot be read: "${text}".`);
    return (version) => compare(compareReleases(version, wanted));
  });
}

/** By release numbers alone: whether a break concerns 2.0.0rc1 or only 2.0.0 is nothing to be that exact about. */
function compareReleases(left: string, right: string): number {
  const [a, b] = [releaseOf(left), releaseOf(right)];
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const releaseOf = (version: string): number[] =>
  (/^v?(?:\d+!)?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? '0').split('.').map(Number);
