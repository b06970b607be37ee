import { readFileSync } from 'node:fs';
import { messageOf } from '@haic/kit/errors.ts';
import {
  onPythons,
  type RuntimeVersion,
  singlePythonVersions,
} from '@haic/services/app-store/scheduler/runtime-versions.ts';
import { listInterpreters } from '@haic/services/environments/interpreters.ts';
import { readRequirements } from '@haic/services/environments/requirements.ts';
import { parse as parseToml } from 'smol-toml';

/**
 * The runtime versions of this installation: those of the setting, or the one Python of the machine. No Python is ever downloaded, so what
 * the machine does not have is offered by name only, and apps on it say why they do not run.
 */
export async function runtimeVersionsOf(
  configured: readonly RuntimeVersion[] | undefined,
): Promise<readonly RuntimeVersion[]> {
  const pythons = (await listInterpreters()).map(({ version }) => version);
  return onPythons(configured ?? singlePythonVersions(pythons[0] ?? '3.11'), pythons);
}

/** JSON, or the path of a JSON or TOML file. Throws one Error that says all that is wrong. */
export function parseRuntimeVersions(raw: string): readonly RuntimeVersion[] {
  const problems: string[] = [];
  const entries = entriesOf(readSource(raw));
  const versions = entries.map((entry, index) => versionOf(entry, index, problems));
  checkTogether(versions, problems);
  if (problems.length > 0) throw new Error(problems.join(' '));
  // The only one that takes new apps need not say that it is the default.
  const usable = versions.filter((version) => !version.deprecated);
  const [only] = usable;
  return usable.length === 1
    ? versions.map((version) => (version === only ? { ...version, default: true } : version))
    : versions;
}

function readSource(raw: string): unknown {
  const inline = /^\s*[[{]/.test(raw);
  try {
    const text = inline ? raw : readFileSync(raw, 'utf8');
    return !inline && raw.endsWith('.toml') ? parseToml(text) : JSON.parse(text);
  } catch (error) {
    const what = inline ? 'is not valid JSON' : `names ${raw}, which cannot be read as JSON or TOML`;
    throw new Error(`${what} (${messageOf(error).split('\n')[0]}).`);
  }
}

type Fields = ReadonlyMap<string, unknown>;

/** A list, or a table with the list in it: `[[RuntimeVersion]]`. */
function entriesOf(source: unknown): readonly unknown[] {
  const list = Array.isArray(source) ? source : fieldsOf(source)?.get('runtimeversion');
  if (Array.isArray(list) && list.length > 0) return list;
  throw new Error('must be a list of runtime versions, in TOML each as [[RuntimeVersion]].');
}

/** Keys are compared without regard to case, as in app.toml. */
const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value).map(([key, field]) => [key.toLowerCase(), field]))
    : undefined;

const known = ['name', 'python', 'aliases', 'default', 'deprecated', 'constraints', 'cutoff'];
const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

function versionOf(entry: unknown, index: number, problems: string[]): RuntimeVersion {
  const fields = fieldsOf(entry) ?? new Map<string, unknown>();
  const name = fields.get('name');
  const label = typeof name === 'string' && name !== '' ? name : `No. ${index + 1}`;
  const check = (isGood: boolean, what: string) => {
    if (!isGood) problems.push(`${label}: ${what}`);
  };
  for (const key of fields.keys())
    check(known.includes(key), `"${key}" is not known; use ${known.join(', ')}.`);
  check(typeof name === 'string' && nameForm.test(name), 'name must be a word like deb_py311.');
  const python = fields.get('python');
  check(
    typeof python === 'string' && /^3\.\d{1,2}$/.test(python),
    'python must be a version in quotes, like "3.11".',
  );
  const aliases = fields.get('aliases') ?? [];
  const areNames =
    Array.isArray(aliases) && aliases.every((alias) => typeof alias === 'string' && nameForm.test(alias));
  check(areNames, 'aliases must be a list of names.');
  const [isDefault, deprecated] = ['default', 'deprecated'].map((key) => fields.get(key) ?? false);
  check(
    typeof isDefault === 'boolean' && typeof deprecated === 'boolean',
    'default and deprecated must be true or false.',
  );
  const constraints = textOf(fields.get('constraints'));
  const wrong = problemOfConstraints(constraints);
  check(wrong === undefined, `constraints: ${wrong}`);
  const cutOff = dateOf(fields.get('cutoff'));
  check(cutOff !== 'wrong', 'cutOff must be a date like 2024-06-30.');
  return {
    name: label,
    python: String(python),
    aliases: areNames ? aliases : [],
    default: isDefault === true,
    deprecated: deprecated === true,
    ...(constraints === undefined ? {} : { constraints }),
    ...(cutOff === undefined ? {} : { cutOff }),
  };
}

/** Lines, as one text or a list of them. */
const textOf = (value: unknown): string | undefined => {
  if (value === undefined || value === '') return undefined;
  return Array.isArray(value) ? value.map(String).join('\n') : String(value);
};

function problemOfConstraints(text: string | undefined): string | undefined {
  const read = readRequirements({
    text: text ?? '',
    fileName: 'The text',
    wheels: [],
    wheelFolder: '/',
  });
  return read.kind === 'plain' ? undefined : read.message;
}

/** TOML has dates of its own. */
function dateOf(value: unknown): string | undefined {
  if (value === undefined || value === '') return undefined;
  const text = value instanceof Date ? value.toISOString().slice(0, 10) : String(value);
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === text ? text : 'wrong';
}

function checkTogether(versions: readonly RuntimeVersion[], problems: string[]): void {
  const names = versions.flatMap((version) => [version.name, ...version.aliases]);
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  for (const name of twice) problems.push(`"${name}" is the name or alias of two.`);
  const usable = versions.filter((version) => !version.deprecated);
  if (usable.length === 0) problems.push('All are deprecated; new apps need one that is not.');
  for (const version of versions)
    if (version.default && version.deprecated)
      problems.push(`${version.name}: what is deprecated cannot be the default.`);
  const defaults = versions.filter((version) => version.default);
  if (defaults.length > 1 || (defaults.length === 0 && usable.length > 1))
    problems.push('Exactly one must be the default.');
}
