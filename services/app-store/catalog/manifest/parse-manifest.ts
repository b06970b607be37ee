import { parse, TomlError } from 'smol-toml';
import { bundleInvalid, Problems, quote } from '../bundle/problems.ts';
import type { Lifecycle, Manifest } from '../client.ts';
import { readEnv } from './env.ts';
import { readFiles } from './file.ts';
import { isLinkAddress } from './link.ts';
import { parseTimeout } from './quantity.ts';
import { emptyRuntime, type RuntimeVersion, readRuntime } from './runtime.ts';
import { manifestFile, Table } from './table.ts';
import type { SecretTables } from './value-source.ts';

export interface ManifestRules {
  readonly runtimeVersions: readonly RuntimeVersion[];
  /** What of the reserved H2O_WAVE variables a bundle may set. Default: `defaultAllowedCoreEnv`. */
  readonly allowedCoreEnv?: readonly RegExp[];
  /** Refuse bundles that name no RuntimeVersion. */
  readonly requireRuntimeVersion?: boolean;
}

const lifecycles = ['ON_DEMAND', 'MANAGED', 'LINK'] as const;
const identifier = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const maxNameLength = 63;
const maxDepth = 50;

/** Checks the text of app.toml against every rule; throws `bundle_invalid` with all that is wrong at once. */
export function parseManifest(text: string, rules: ManifestRules): Manifest {
  const { manifest, problems } = readManifest(text, rules);
  problems.throwIfAny();
  return manifest;
}

/** The manifest with all that is wrong with it so far: whether its secrets are there has yet to be asked. */
export function readManifest(
  text: string,
  rules: ManifestRules,
): { manifest: Manifest; problems: Problems; secrets: SecretTables } {
  const problems = new Problems();
  const secrets: SecretTables = new Map();
  const file = new Table(parseToml(text), '', problems);
  if (!file.has('App'))
    problems.add(manifestFile, 'App', 'It is missing.', 'Begin the file with [App], Name and Version.');
  const app = file.table('App');
  const lifecycle = app.oneOf('InstanceLifecycle', lifecycles, 'ON_DEMAND');
  const { name, version } = readIdentity(app, problems);
  const manifest: Manifest = {
    name,
    version,
    title: app.line('Title', 200) ?? name,
    description: readDescription(app),
    longDescriptionPath: readLongDescriptionPath(app),
    tags: readTags(app),
    lifecycle,
    instanceTimeout: readTimeout(app),
    runtime: lifecycle === 'LINK' ? emptyRuntime : readRuntime(file.table('Runtime'), rules),
    env: readEnv(file.tables('Env'), rules, secrets),
    files: lifecycle === 'LINK' ? [] : readFiles(file.tables('File'), secrets),
    linkAddress: readLink(file, lifecycle),
  };
  return { manifest, problems, secrets };
}

function parseToml(text: string): unknown {
  try {
    return parse(text, { maxDepth, integersAsBigInt: 'asNeeded' });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ''] = error.message.split('\n');
    throw bundleInvalid(
      manifestFile,
      `It is not valid TOML: line ${error.line}, column ${error.column}: ${first.replace(/^Invalid TOML document: /, '')}.`,
      'Correct that line.',
    );
  }
}

/** Name and version end up in file names, labels and addresses, alone and joined. */
function readIdentity(app: Table, problems: Problems): { name: string; version: string } {
  const [name, version] = ['Name', 'Version'].map((key) => {
    const text = app.line(key, 1000);
    if (text === undefined) {
      if (!app.has(key) || app.raw(key) === '') app.problem(key, 'It is missing.', `Write ${key} = "…".`);
    } else if (text.length > maxNameLength || !identifier.test(text))
      app.problem(
        key,
        `${quote(text)} is not allowed.`,
        `Use at most ${maxNameLength} of A-Z a-z 0-9 . _ -, with a letter or digit at both ends.`,
      );
    return text ?? '';
  });
  if (version !== '' && identifier.test(version ?? '') && !/^v?\d/i.test(version ?? ''))
    app.problem('Version', `${quote(version ?? '')} is not a version.`, 'Use a version like 1.0.0.');
  const joined = `${name}-${version}`;
  if (
    joined.length > maxNameLength &&
    (name?.length ?? 0) <= maxNameLength &&
    (version?.length ?? 0) <= maxNameLength
  )
    problems.add(
      manifestFile,
      'App.Name',
      `Name and Version together have ${joined.length} characters.`,
      `Joined by "-" they may have at most ${maxNameLength}.`,
    );
  return { name: name ?? '', version: version ?? '' };
}

/** One line by the rules; real bundles wrap it, so white space is folded rather than refused. */
function readDescription(app: Table): string {
  if (typeof app.raw('Description') !== 'string') return app.line('Description', 0) ?? '';
  const text = app.text('Description')?.replace(/\s+/g, ' ').trim() ?? '';
  if (text.length > 2000)
    app.problem('Description', `It has ${text.length} characters.`, 'At most 2000 are allowed.');
  return text;
}

function readLongDescriptionPath(app: Table): string | undefined {
  const path = app.line('LongDescription', 1000)?.replace(/^(\.\/)+/, '');
  if (path === undefined) return undefined;
  if (path.startsWith('/') || path.includes('\\') || path.split('/').includes('..'))
    app.problem(
      'LongDescription',
      `${quote(path)} leads out of the bundle.`,
      'Name a file of the bundle, e.g. about.md.',
    );
  return path;
}

function readTags(app: Table): string[] {
  const tags = app.raw('Tags') ?? [];
  const isList = Array.isArray(tags) && tags.every((tag) => typeof tag === 'string');
  if (
    !isList ||
    tags.length > 50 ||
    tags.some((tag) => !/^[\p{L}\p{N}][\p{L}\p{N} ._:/-]{0,62}$/u.test(tag))
  ) {
    app.problem(
      'Tags',
      'It is not a list of tag names.',
      'Write Tags = ["NAME", …] with at most 50 names of 63 characters.',
    );
    return [];
  }
  return [...new Set(tags)];
}

function readTimeout(app: Table): number | 'never' | undefined {
  const text = app.text('InstanceTimeout');
  if (text === undefined || text === '') return undefined;
  const timeout = parseTimeout(text);
  if (timeout === undefined)
    app.problem(
      'InstanceTimeout',
      `${quote(text)} is not a duration.`,
      'Write e.g. "8h", "90m", or "-1" for never.',
    );
  return timeout;
}

/** A LINK app is an address and nothing else; every other app has none. */
function readLink(file: Table, lifecycle: Lifecycle): string | undefined {
  const link = file.table('Link');
  const address = link.line('Address', 2000);
  if (lifecycle !== 'LINK') {
    if (address !== undefined)
      link.problem(
        'Address',
        'Only LINK apps have one.',
        'Remove it, or set App.InstanceLifecycle = "LINK".',
      );
    return undefined;
  }
  for (const key of ['Runtime', 'File']) {
    const isEmpty = key === 'File' ? file.tables(key).length === 0 : file.table(key).isEmpty;
    if (!isEmpty) file.problem(key, 'A LINK app has none.', 'Remove it.');
  }
  if (address === undefined) {
    if (!link.has('Address') || link.raw('Address') === '')
      link.problem('Address', 'It is missing.', 'Write the full URL that the app opens.');
    return undefined;
  }
  if (!isLinkAddress(address)) {
    link.problem(
      'Address',
      `${quote(address)} is not an http or https URL.`,
      'Write the full URL, e.g. https://example.com/.',
    );
    return undefined;
  }
  return new URL(address).href;
}
