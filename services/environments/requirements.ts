import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WheelReference } from './client.ts';
import { isWheelFileName } from './wheels.ts';

/**
 * Reads the requirements.txt of a bundle. The file was written by others and is turned into a shared environment by a process that all
 * apps depend on, so nothing is handed to uv but lines that are understood here: names with versions, and wheels of the bundle. What
 * needs other people's code to run, or another place than the platform's index, is left to the app's own sandbox (needs-build).
 */
export type ReadRequirements =
  | PlainRequirements
  | {
      readonly kind: 'needs-build';
      readonly packages: readonly string[];
      readonly message: string;
      /** Those of its requirements that are plain. */
      readonly lines: readonly string[];
    }
  | { readonly kind: 'refused'; readonly message: string };

export interface PlainRequirements {
  readonly kind: 'plain';
  /** Ready for uv: one requirement a line, no options, no variables. */
  readonly lines: readonly string[];
  /** Hashes that the file itself demands, by normalised name. */
  readonly hashes: ReadonlyMap<string, ReadonlySet<string>>;
  readonly preReleases: boolean;
  /** What was ignored, for the log. */
  readonly notes: readonly string[];
}

export interface RequirementsSource {
  readonly text: string;
  /** How the file is called in messages. */
  readonly fileName: string;
  readonly wheels: readonly WheelReference[];
  /** Where uploaded wheels are: `<folder>/<sha256>/<file name>`. */
  readonly wheelFolder: string;
}

type Line =
  | { kind: 'requirement'; text: string; name: string; hashes: string[] }
  | { kind: 'note'; text: string }
  | { kind: 'pre' }
  | { kind: 'build'; what: string }
  | { kind: 'refused'; why: string };

const limits = { bytes: 1024 * 1024, lines: 10_000, lineLength: 16_384 };

export function readRequirements(source: RequirementsSource): ReadRequirements {
  if (source.text.length > limits.bytes) return refuse(source, 'it is larger than 1 MB.');
  const logical = logicalLines(source.text);
  if (logical.length > limits.lines) return refuse(source, `it has more than ${limits.lines} lines.`);
  const lines: string[] = [];
  const notes: string[] = [];
  const builds: string[] = [];
  const hashes = new Map<string, Set<string>>();
  let preReleases = false;
  for (const { number, text } of logical) {
    const line = readLine(text, source);
    if (line.kind === 'refused') return refuse(source, `line ${number}, "${shown(text)}": ${line.why}`);
    if (line.kind === 'note') notes.push(`${source.fileName}, line ${number}: ${line.text}`);
    if (line.kind === 'pre') preReleases = true;
    if (line.kind === 'build') builds.push(line.what);
    if (line.kind !== 'requirement') continue;
    lines.push(line.text);
    if (line.hashes.length > 0)
      hashes.set(line.name, new Set([...(hashes.get(line.name) ?? []), ...line.hashes]));
  }
  if (builds.length > 0) {
    const message = `${source.fileName} asks for what only the app's own sandbox may fetch or build: ${builds.join(', ')}.`;
    return { kind: 'needs-build', packages: builds, message, lines };
  }
  return { kind: 'plain', lines, hashes, preReleases, notes };
}

const refuse = (source: RequirementsSource, why: string): ReadRequirements => ({
  kind: 'refused',
  message: `${source.fileName} cannot be used: ${why}`,
});

/** Joins continued lines, removes comments and blank lines; keeps the number of each line's start. */
function logicalLines(text: string): { number: number; text: string }[] {
  const result: { number: number; text: string }[] = [];
  let pending = '';
  let start = 0;
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    if (pending === '') start = index + 1;
    // pip's rule: '#' opens a comment at a line's start or after white space.
    const isComment = /^\s*#/.test(raw);
    if (raw.endsWith('\\') && !isComment) {
      pending += `${raw.slice(0, -1)} `;
      continue;
    }
    const whole = (pending + raw).replace(/(^|\s)#.*$/, '').trim();
    pending = '';
    if (whole !== '') result.push({ number: start, text: whole });
  }
  const rest = pending.replace(/(^|\s)#.*$/, '').trim();
  if (rest !== '') result.push({ number: start, text: rest });
  return result;
}

function readLine(text: string, source: RequirementsSource): Line {
  if (text.length > limits.lineLength) return { kind: 'refused', why: 'the line is too long.' };
  if (!/^[\x20-\x7e\t]*$/.test(text))
    return { kind: 'refused', why: 'only plain ASCII characters are possible here.' };
  if (text.includes('${')) return { kind: 'refused', why: 'variables are not filled in on this platform.' };
  if (text.startsWith('-')) return readOption(text);
  const { body, hashes, unknown } = splitHashes(text);
  if (unknown !== undefined) return { kind: 'refused', why: `the option ${unknown} is not supported.` };
  return readPlain(body, hashes) ?? readReference(body, hashes, source);
}

/** Separates `--hash=…` from the requirement; any other option is reported. */
function splitHashes(text: string): { body: string; hashes: string[]; unknown: string | undefined } {
  const [body = '', ...options] = text.split(/\s+(?=--?[A-Za-z])/);
  const hashes: string[] = [];
  for (const option of options) {
    const match = /^--hash[=\s]\s*(sha256:[0-9a-fA-F]{64})\s*$/.exec(option);
    if (match?.[1] === undefined) return { body, hashes, unknown: shown(option) };
    hashes.push(match[1].toLowerCase());
  }
  return { body: body.trim(), hashes, unknown: undefined };
}

const nameText = '[A-Za-z0-9](?:[A-Za-z0-9._-]{0,200}[A-Za-z0-9])?';
const extrasText = '\\[[A-Za-z0-9 ,._-]*\\]';
const plainRequirement = new RegExp(
  `^(${nameText})\\s*(${extrasText})?\\s*(\\(?\\s*[<>=!~][^;@#$]*)?\\s*(;.*)?$`,
);

function readPlain(body: string, hashes: string[]): Line | undefined {
  const match = plainRequirement.exec(body);
  if (match?.[1] === undefined || /\.(whl|zip|tar\.gz)$/i.test(body)) return undefined;
  return { kind: 'requirement', text: body, name: normaliseName(match[1]), hashes };
}

const reference = new RegExp(
  `^(?:(${nameText})\\s*(${extrasText})?\\s*@\\s*)?([^\\s;\\[\\]]+)(${extrasText})?\\s*(;.*)?$`,
);

/** A path or URL, alone or as `name @ …`. */
function readReference(body: string, hashes: string[], source: RequirementsSource): Line {
  const match = reference.exec(body);
  const target = match?.[3];
  if (match === null || target === undefined) return { kind: 'refused', why: 'it is not a requirement.' };
  if (/^(git|hg|svn|bzr)\+/i.test(target) || /^https?:\/\//i.test(target))
    return { kind: 'build', what: match[1] ?? shown(target) };
  const file = target.replace(/^file:(\/\/(?=\/|\.))?/i, '');
  if (/^[a-z][a-z0-9+.-]*:/i.test(file))
    return { kind: 'refused', why: 'this kind of address is not supported.' };
  const inside = insideBundle(file);
  if (inside === undefined) return { kind: 'refused', why: 'only files of the bundle can be named.' };
  if (!/\.whl$/i.test(inside)) {
    // A bare word that is no requirement is a mistake rather than a folder.
    if (!/[/.]/.test(file)) return { kind: 'refused', why: 'it is not a requirement.' };
    return { kind: 'build', what: match[1] ?? shown(target) };
  }
  return readWheel(
    inside,
    { name: match[1], extras: match[2] ?? match[4] ?? '', marker: match[5] ?? '', hashes },
    source,
  );
}

function readWheel(
  inside: string,
  line: { name: string | undefined; extras: string; marker: string; hashes: string[] },
  source: RequirementsSource,
): Line {
  const fileName = path.posix.basename(inside);
  if (!isWheelFileName(fileName)) return { kind: 'refused', why: 'this is not the name of a wheel file.' };
  const wheel = source.wheels.find((item) => insideBundle(item.path) === inside);
  if (wheel === undefined) return { kind: 'refused', why: 'the bundle has no such wheel.' };
  if (line.hashes.length > 0 && !line.hashes.includes(`sha256:${wheel.sha256}`))
    return { kind: 'refused', why: 'the wheel in the bundle has another hash than the line demands.' };
  const name = line.name ?? fileName.split('-')[0] ?? fileName;
  const place = pathToFileURL(path.join(source.wheelFolder, wheel.sha256, fileName));
  const marker = line.marker === '' ? '' : ` ${line.marker}`;
  return {
    kind: 'requirement',
    text: `${name}${line.extras} @ ${place.href}${marker}`,
    name: normaliseName(name),
    hashes: [],
  };
}

/** The path relative to the bundle's root, without './'; undefined when it leaves the bundle. */
function insideBundle(file: string): string | undefined {
  if (path.posix.isAbsolute(file) || file.includes('\\') || file.includes('\0')) return undefined;
  const normal = path.posix.normalize(file);
  return normal === '..' || normal.startsWith('../') ? undefined : normal;
}

const ignored: Record<string, string> = {
  '--only-binary': 'wheels are used wherever there are any',
  '--prefer-binary': 'wheels are used wherever there are any',
  '--require-hashes': 'every file is checked against the lock',
  '--trusted-host': 'the platform decides what is trusted',
  '--use-feature': 'it is an option of pip',
  '--no-index': 'the index of the platform is used',
};

function readOption(text: string): Line {
  const match = /^(--[a-z-]+|-[a-z])(?:\s*=\s*|\s+|(?<=^-[a-z]))?(.*)$/i.exec(text);
  const option = match?.[1] ?? text;
  const value = (match?.[2] ?? '').trim();
  if (option === '--pre') return { kind: 'pre' };
  const reason = ignored[option];
  if (reason !== undefined) return { kind: 'note', text: `${option} is ignored: ${reason}.` };
  switch (option) {
    case '-i':
    case '--index-url':
    case '--extra-index-url':
      return /^https:\/\/pypi\.(org|python\.org)\//.test(`${value}/`)
        ? { kind: 'note', text: `${option} is ignored: the index of the platform is used.` }
        : { kind: 'build', what: `${option} ${shown(value)}` };
    case '-f':
    case '--find-links':
      if (/^https?:\/\//i.test(value)) return { kind: 'build', what: `${option} ${shown(value)}` };
      return needsFilesOf(option, value);
    case '-e':
    case '--editable':
      if (/^(git|hg|svn|bzr)\+/i.test(value)) return { kind: 'build', what: `${option} ${shown(value)}` };
      return needsFilesOf(option, value);
    case '-r':
    case '--requirement':
    case '-c':
    case '--constraint':
      return needsFilesOf(option, value);
    case '--no-binary':
      return { kind: 'build', what: `${option} ${shown(value)}` };
    default:
      return { kind: 'refused', why: `the option ${shown(option)} is not supported.` };
  }
}

function needsFilesOf(option: string, value: string): Line {
  const file = value.replace(/^file:(\/\/)?/i, '');
  if (file === '' || insideBundle(file) === undefined)
    return { kind: 'refused', why: 'only files of the bundle can be named.' };
  return { kind: 'build', what: `${option} ${shown(value)}` };
}

/** PEP 503. */
export const normaliseName = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, '-');

/** Fit for a message: no credentials of a URL, no control characters, not endless. */
const shown = (text: string): string =>
  text
    .replace(/\/\/[^@/\s]*@/g, '//***@')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 160);
