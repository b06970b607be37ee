import type { Instance } from '../api/types.ts';

interface Pattern {
  readonly match: RegExp;
  readonly say: (groups: RegExpExecArray) => string;
}

/** What usually lies behind a last line, and what helps. The first that matches is shown. */
const patterns: readonly Pattern[] = [
  {
    match: /ModuleNotFoundError: No module named ['"]([^'"]+)['"]/,
    say: ([, name]) =>
      `The app imports “${name}”, which is neither in its bundle nor in its requirements.txt. Add the package that brings it, and import the bundle anew.`,
  },
  {
    match: /ImportError: cannot import name ['"]([^'"]+)['"] from ['"]([^'"]+)['"]/,
    say: ([, name, from]) =>
      `“${from}” has no “${name}”: most likely another version of that package is installed than the app was written for. Pin the version in requirements.txt.`,
  },
  {
    match: /(SyntaxError|IndentationError): (.+)/,
    say: ([, kind, what]) => `The app's own code cannot be read by this Python (${kind}: ${what}).`,
  },
  {
    match: /No (?:matching distribution|solution) found.*?(?:for ([\w.-]+))?/i,
    say: ([, name]) =>
      `A requirement${name === undefined ? '' : ` (${name})`} could not be found for this Python. Check its name and version in requirements.txt, and that the package index is reachable.`,
  },
  {
    match: /(?:address already in use|EADDRINUSE|port .* taken)/i,
    say: () => 'The app listens on a port that is taken. Let it listen on the port that it is given.',
  },
  {
    match: /(?:ENOSPC|No space left on device)/i,
    say: () => 'The disk is full. Free some space, then try again.',
  },
  {
    match: /KeyError: ['"]([A-Z][A-Z0-9_]+)['"]/,
    say: ([, name]) =>
      `The app expects the environment variable ${name}, which is not set. Give it in [[Env]] of its app.toml.`,
  },
  {
    match: /(?:MemoryError|Killed|out of memory)/i,
    say: () => 'The app needed more memory than it may use. Raise MemoryLimit in its app.toml.',
  },
  {
    match: /(?:PermissionError|EACCES)[^'"]*['"]?([^'"]*)/,
    say: ([, path]) =>
      `The app may not write${path ? ` to ${path}` : ' there'}. Files belong into its working directory, or under its VolumeMount if they are to stay.`,
  },
];

/** The likely cause in a sentence or two; the platform's own word where no line of the log tells more. */
export function likelyCause(
  instance: Pick<Instance, 'message' | 'lastFailure' | 'reason'>,
  lines: readonly string[],
): string {
  const fromPlatform = instance.lastFailure?.message || instance.message || '';
  // The platform knows these for sure; a line of the log is only a hint.
  if (instance.reason === 'OOMKilled' || instance.lastFailure?.reason === 'OOMKilled') return fromPlatform;
  for (const line of lines.toReversed()) {
    for (const pattern of patterns) {
      const groups = pattern.match.exec(line);
      if (groups !== null) return pattern.say(groups);
    }
  }
  return fromPlatform || 'The log does not tell. Its last lines are below.';
}
