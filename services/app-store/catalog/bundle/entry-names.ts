import { type Problems, quote, trickCharacters } from './problems.ts';

const maxPathBytes = 1024;
const maxNameBytes = 255;
const maxDepth = 64;

/** The name as text, or undefined when it is not UTF-8 (whatever the entry's flag says: real zips often do not set it). */
export function decodeEntryName(raw: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    return undefined;
  }
}

/** Why no file may have this name, or undefined. Directories end in a slash. */
export function nameProblem(name: string): { message: string; remedy: string } | undefined {
  const path = name.endsWith('/') ? name.slice(0, -1) : name;
  const segments = path.split('/');
  const shown = quote(name);
  if (name.includes('\0')) return { message: `The name ${shown} holds a NUL byte.`, remedy: 'Rename it.' };
  if (name.includes('\\'))
    return {
      message: `The name ${shown} holds a backslash.`,
      remedy: 'Zip entries separate folders by "/"; make the zip with another tool.',
    };
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name))
    return { message: `The name ${shown} is absolute.`, remedy: 'Names must be relative to the bundle.' };
  if (segments.includes('..'))
    return { message: `The name ${shown} leads out of the bundle.`, remedy: 'Remove the ".." from it.' };
  if (segments.some((segment) => segment === '' || segment === '.'))
    return {
      message: `The name ${shown} has an empty or "." part.`,
      remedy: 'Zip from inside the folder: zip -r app.wave *',
    };
  if (trickCharacters.test(name))
    return {
      message: `The name ${shown} holds control or invisible characters.`,
      remedy: 'Rename it with characters that can be seen.',
    };
  if (Buffer.byteLength(name) > maxPathBytes || segments.some((s) => Buffer.byteLength(s) > maxNameBytes))
    return {
      message: `The name ${shown} is too long.`,
      remedy: `At most ${maxNameBytes} bytes a part and ${maxPathBytes} in all.`,
    };
  if (segments.length > maxDepth)
    return { message: `The name ${shown} is too deep.`, remedy: `At most ${maxDepth} folders.` };
  return undefined;
}

/** Finds names that are one on some disks: repeated, differing by case or Unicode form, or a file where a folder must be. */
export class NameClashes {
  private readonly names = new Map<string, { name: string; isFolder: boolean }>();
  private readonly problems: Problems;

  constructor(problems: Problems) {
    this.problems = problems;
  }

  add(name: string): void {
    const isFolder = name.endsWith('/');
    const path = isFolder ? name.slice(0, -1) : name;
    const earlier = this.names.get(fold(path));
    if (earlier !== undefined) {
      // A folder may be listed after it was implied by a file in it.
      if (isFolder && earlier.isFolder && earlier.name === path) return;
      if (!(isFolder && earlier.isFolder)) this.report(path, earlier.name);
    }
    this.names.set(fold(path), { name: path, isFolder });
    this.addFoldersOf(path);
  }

  private addFoldersOf(path: string): void {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      const earlier = this.names.get(fold(folder));
      if (earlier?.isFolder) return;
      if (earlier !== undefined) this.report(path, earlier.name);
      this.names.set(fold(folder), { name: folder, isFolder: true });
    }
  }

  private report(name: string, earlier: string): void {
    const how =
      name === earlier
        ? 'is in the bundle twice.'
        : name.startsWith(`${earlier}/`)
          ? `is inside ${quote(earlier)}, which is a file.`
          : `and ${quote(earlier)} are the same name on some disks.`;
    this.problems.add(name, null, `${quote(name)} ${how}`, 'Keep one of them.');
  }
}

const fold = (path: string): string => path.normalize('NFC').toLowerCase().normalize('NFC');
