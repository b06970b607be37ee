import type { EnvironmentFailed, EnvironmentNeedsBuild } from './client.ts';
import type { CutOff } from './cut-offs.ts';
import { findBreaks, type KnownBreak } from './known-breaks.ts';
import type { RepairMemory } from './repair-memory.ts';
import { normaliseName } from './requirements.ts';
import type { Resolution, ResolutionInput, Resolved } from './resolver.ts';
import type { Caller } from './shared-work.ts';

type Resolve = (input: ResolutionInput, caller: Caller) => Promise<Resolution>;

/** Each round can add what an earlier one brought in; data that goes in circles ends here. */
const rounds = 5;

/**
 * Chooses versions that work together, also for requirements that were published long ago (rot). First as they are, with what the data
 * knows to be broken kept apart; only when that is impossible once more with the packages as they were when the app was published. The
 * app's log says what was constrained and why. Without a repair the first answer stands: the app may know better.
 */
export async function resolveWithRepairs(options: {
  resolve: Resolve;
  input: ResolutionInput;
  breaks: readonly KnownBreak[];
  memory: RepairMemory;
  cutOffs: () => Promise<readonly CutOff[]>;
  caller: Caller;
}): Promise<Resolution> {
  const { resolve, input, breaks, memory, caller } = options;
  const repaired = await asRepairedBefore(options);
  if (repaired !== undefined) return repaired;
  const first = await resolveApart(resolve, input, breaks, caller);
  if (first.works) return first.resolution;
  // A cut-off that somebody set is theirs to change.
  if (!first.mayBeAge || input.excludeNewer !== undefined) return first.asPublished;
  const cutOffs = await options.cutOffs();
  for (const { date, because } of cutOffs) {
    caller.onLine(
      `${first.why} Trying with the packages as they were when this app was published: nothing newer than ${date} (by ${because}).`,
    );
    const attempt = await resolveApart(resolve, { ...input, excludeNewer: date }, breaks, caller);
    if (attempt.works) {
      caller.onLine(
        `Packages published after ${date} were left out, because newer ones do not fit together.`,
      );
      await memory.keep(input, { cutOff: date, why: first.why });
      return attempt.resolution;
    }
    caller.onLine('That does not fit together either.');
  }
  return 'type' in first.asPublished && first.asPublished.type === 'needs-build'
    ? { ...first.asPublished, cutOffs: cutOffs.map(({ date }) => date) }
    : first.asPublished;
}

/** Straight to what helped last time. Undefined when there was no such time, or it helps no more. */
async function asRepairedBefore(options: {
  resolve: Resolve;
  input: ResolutionInput;
  breaks: readonly KnownBreak[];
  memory: RepairMemory;
  caller: Caller;
}): Promise<Resolved | undefined> {
  const { resolve, input, breaks, memory, caller } = options;
  const repair = await memory.recall(input);
  if (repair === undefined) return undefined;
  caller.onLine(
    `Packages published after ${repair.cutOff} are left out, as at an earlier start: ${repair.why}`,
  );
  const attempt = await resolveApart(resolve, { ...input, excludeNewer: repair.cutOff }, breaks, caller);
  if (attempt.works) return attempt.resolution;
  await memory.forget(input);
  return undefined;
}

type Attempt =
  | { readonly works: true; readonly resolution: Resolved }
  | {
      readonly works: false;
      /** What the requirements give when nothing of ours is added. */
      readonly asPublished: Resolution;
      readonly mayBeAge: boolean;
      readonly why: string;
    };

async function resolveApart(
  resolve: Resolve,
  input: ResolutionInput,
  breaks: readonly KnownBreak[],
  caller: Caller,
): Promise<Attempt> {
  const asPublished = await resolve(input, caller);
  if ('type' in asPublished)
    return { works: false, asPublished, mayBeAge: mayBeAge(asPublished), why: shortly(asPublished) };
  const added: string[] = [];
  let current: Resolved = asPublished;
  let found = findBreaks(current.lock, breaks);
  for (let round = 0; found.length > 0 && round < rounds; round += 1) {
    for (const { constrain, because } of found) {
      caller.onLine(`Constrained to ${constrain.join(', ')}: ${because}`);
      added.push(...constrain.filter((line) => !added.includes(line)));
    }
    const next = await resolve(withConstraints(input, added), caller);
    // A constraint excludes what the requirements pin.
    if ('type' in next)
      return { works: false, asPublished, mayBeAge: true, why: `${added.join(', ')} cannot be had.` };
    current = next;
    found = findBreaks(current.lock, breaks);
  }
  if (found.length === 0) return { works: true, resolution: current };
  return { works: false, asPublished, mayBeAge: true, why: `Still broken: ${found[0]?.name}.` };
}

function withConstraints(input: ResolutionInput, added: readonly string[]): ResolutionInput {
  return { ...input, constraints: { ...input.constraints, lines: [...input.constraints.lines, ...added] } };
}

/** A name or version that the index does not have is no matter of age; neither is a network that is down. */
function mayBeAge(outcome: EnvironmentFailed | EnvironmentNeedsBuild): boolean {
  if (outcome.type === 'needs-build') return true;
  const text = outcome.lines.join('\n');
  return (
    /No solution found/.test(text) && !/not found in the package registry|there is no version of/.test(text)
  );
}

const shortly = (outcome: EnvironmentFailed | EnvironmentNeedsBuild): string =>
  outcome.type === 'needs-build'
    ? `No ready-made wheel fits: ${outcome.packages.map(normaliseName).join(', ')}.`
    : outcome.message.slice(0, 300);
