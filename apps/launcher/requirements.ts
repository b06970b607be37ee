import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LaunchFailure } from './failure.ts';

export interface BundleWheel {
  /** Relative to the bundle's root, as the requirements write it. */
  readonly path: string;
  readonly file: string;
  readonly fileName: string;
  readonly sha256: string;
}

export interface BundleRequirements {
  readonly text: string;
  readonly constraints: string | undefined;
  readonly wheels: readonly BundleWheel[];
}

/** The h2o-wave of an app that brings no requirements.txt; a Wave app cannot run without. */
export const defaultWaveRequirements = 'h2o-wave==1.8.16\n';

const deepestInclude = 5;
const maximumBytes = 1024 * 1024;

/**
 * The bundle's requirements.txt with the files it includes put in their place, so that the installer, which sees no bundle, gets
 * one text; and the wheels of the bundle that it names.
 */
export async function readBundleRequirements(appRoot: string): Promise<BundleRequirements | undefined> {
  const constraints: string[] = [];
  const text = await inline(appRoot, 'requirements.txt', 0, constraints);
  if (text === undefined) return undefined;
  return {
    text,
    constraints: constraints.length === 0 ? undefined : constraints.join('\n'),
    wheels: await wheelsIn(appRoot, text),
  };
}

const include = /^\s*(-r|--requirement|-c|--constraint)(?:\s*=\s*|\s+|(?<=-[rc]))(\S+)\s*(?:#.*)?$/;

async function inline(
  appRoot: string,
  name: string,
  depth: number,
  constraints: string[],
): Promise<string | undefined> {
  if (depth > deepestInclude) throw new LaunchFailure(`${name} is included too deep, or includes itself.`);
  const content = await readInside(appRoot, name);
  if (content === undefined) {
    if (depth === 0) return undefined;
    throw new LaunchFailure(`requirements.txt includes ${name}, which is not in the bundle.`);
  }
  const lines: string[] = [];
  for (const line of content.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const match = include.exec(line);
    const target = match?.[2];
    if (match === null || target === undefined) {
      lines.push(line);
      continue;
    }
    // pip takes the name relative to the file that names it.
    const inner = path.posix.join(path.posix.dirname(name), target);
    const text = (await inline(appRoot, inner, depth + 1, constraints)) ?? '';
    if (match[1] === '-c' || match[1] === '--constraint') constraints.push(text);
    else lines.push(text);
  }
  return lines.join('\n');
}

async function readInside(appRoot: string, name: string): Promise<string | undefined> {
  const file = insideBundle(appRoot, name);
  if (file === undefined)
    throw new LaunchFailure(`requirements.txt names ${name}, which is outside of the bundle.`);
  const facts = await lstat(file).catch(() => undefined);
  if (facts === undefined || !facts.isFile()) return undefined;
  if (facts.size > maximumBytes) throw new LaunchFailure(`${name} is larger than 1 MB.`);
  return readFile(file, 'utf8');
}

function insideBundle(appRoot: string, name: string): string | undefined {
  const file = path.resolve(appRoot, name);
  return file.startsWith(`${appRoot}${path.sep}`) && !name.includes('\0') ? file : undefined;
}

const wheelWord = /(?:^|[\s@])(?:file:(?:\/\/(?=\/|\.))?)?([^\s;@#[\]]+\.whl)(?=$|[\s;[])/i;

async function wheelsIn(appRoot: string, text: string): Promise<BundleWheel[]> {
  const wheels = new Map<string, BundleWheel>();
  for (const line of text.split('\n')) {
    const name = wheelWord.exec(line.replace(/(^|\s)#.*$/, ''))?.[1];
    if (name === undefined || wheels.has(name) || /^[a-z]+:\/\//i.test(name)) continue;
    const file = insideBundle(appRoot, name);
    const facts = file === undefined ? undefined : await lstat(file).catch(() => undefined);
    // What is not there is left to the installer, which says it with the line's number.
    if (file === undefined || facts === undefined || !facts.isFile()) continue;
    wheels.set(name, { path: name, file, fileName: path.basename(file), sha256: await sha256Of(file) });
  }
  return [...wheels.values()];
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
