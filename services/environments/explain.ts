import type { EnvironmentFailed } from './client.ts';

/** What uv said, in words that tell the app's author what to do. */
export type Explanation =
  | { readonly kind: 'needs-build'; readonly packages: readonly string[]; readonly message: string }
  | { readonly kind: 'failed'; readonly failure: EnvironmentFailed };

const shownLines = 30;

export function explain(lines: readonly string[]): Explanation {
  const text = lines.join('\n');
  const withoutWheel = packagesWithoutWheel(text);
  if (withoutWheel.length > 0) {
    const message = `No ready-made wheel fits: ${withoutWheel.join(', ')}. The app's own sandbox has to build from source.`;
    return { kind: 'needs-build', packages: withoutWheel, message };
  }
  const message = plainWords(text);
  return {
    kind: 'failed',
    failure: {
      type: 'failed',
      message,
      lines: lines.filter((line) => line.trim() !== '').slice(-shownLines),
    },
  };
}

export const isDiskFull = (text: string): boolean =>
  /No space left on device|os error 28\b|Disk quota exceeded|os error 122\b|ENOSPC|EDQUOT/i.test(text);

/** The index no longer has what a lock names. A file with another hash is not that: what was changed stays refused. */
export const isGone = (lines: readonly string[]): boolean =>
  /was not found in the package registry|there is no version of/i.test(lines.join('\n'));

export const diskFullMessage =
  'The disk is full: the environment could not be installed and nothing of it was kept. Free some space and try again.';

function packagesWithoutWheel(text: string): string[] {
  const names = new Set<string>();
  for (const match of text.matchAll(/Wheels are required for ((?:`[^`]+`(?:, and |, | and )?)+)/g))
    for (const name of (match[1] ?? '').matchAll(/`([^`]+)`/g)) if (name[1]) names.add(name[1]);
  return [...names];
}

function plainWords(text: string): string {
  if (isDiskFull(text)) return diskFullMessage;
  const missing = /\b(\S+) was not found in the package registry/.exec(text)?.[1];
  if (missing !== undefined)
    return `There is no package named "${missing}" in the package index. Check its spelling in requirements.txt.`;
  const version = /there is no version of (\S+?)(?: and|,|$)/m.exec(text)?.[1];
  if (version !== undefined)
    return `${version} does not exist in the package index. Correct the version in requirements.txt.${filteredByDate(text)}`;
  if (/hash mismatch/i.test(text))
    return 'A downloaded file does not have the hash that was expected, so it was not installed. Try again; if it stays, the package index or a proxy changes files.';
  if (
    /client error \(Connect\)|dns error|error sending request|Failed to fetch|tcp connect|timed out|request failed/i.test(
      text,
    )
  )
    return 'The package index cannot be reached. Check the network, and the settings HAIC_PYPI_INDEX, HAIC_HTTP_PROXY and HAIC_CA_FILE.';
  if (
    /no wheels with a matching|not compatible with|requires? Python|Python version/i.test(text) &&
    !/conflict/i.test(text)
  )
    return `A requirement does not fit this Python or this machine: ${firstCause(text)}`;
  if (/No solution found/.test(text)) return `The requirements contradict each other: ${firstCause(text)}`;
  return `The environment could not be installed: ${firstCause(text)}`;
}

const filteredByDate = (text: string): string =>
  /was filtered by `exclude-newer`/.test(text) ? ' (Versions newer than the cut-off date are left out.)' : '';

function firstCause(text: string): string {
  const cause =
    /cause: ([\s\S]*?)(?:\n\n|\n\s*cause:|$)/.exec(text)?.[1] ??
    text.split('\n').findLast((line) => line.trim());
  return (cause ?? 'uv said nothing').replace(/\s+/g, ' ').trim().slice(0, 600);
}
