import { isVariableName } from '@haic/kit/variable-name.ts';
import { quote } from '../bundle/problems.ts';
import type { ManifestEnv } from '../client.ts';
import type { Table } from './table.ts';
import { readValueSource, type SecretTables } from './value-source.ts';

/** Of the variables that configure waved, those that harm nobody but the app itself. An administrator may change the list. */
export const defaultAllowedCoreEnv: readonly RegExp[] = [
  /^H2O_WAVE_ML_.*/,
  /^H2O_WAVE_PUBLIC_DIR$/,
  /^H2O_WAVE_PRIVATE_DIR$/,
  /^H2O_WAVE_MAX_REQUEST_SIZE$/,
  /^H2O_WAVE_NO_STORE$/,
  /^H2O_WAVE_SESSION_INACTIVITY_TIMEOUT$/,
  /^H2O_WAVE_DATA_DIR$/,
  /^H2O_WAVE_PING_INTERVAL$/,
];

/** Linux gives one variable no more than 128 KiB. */
const maxValueBytes = 120 * 1024;

/** Of several entries of one name the last one counts, at the place of the first. */
export function readEnv(
  tables: readonly Table[],
  rules: { allowedCoreEnv?: readonly RegExp[] },
  secrets: SecretTables,
): ManifestEnv[] {
  const byName = new Map<string, ManifestEnv>();
  for (const table of tables) {
    const name = readName(table, rules.allowedCoreEnv ?? defaultAllowedCoreEnv);
    const from = readValueSource(table, secrets);
    if (from.kind === 'literal' && Buffer.byteLength(from.value) > maxValueBytes)
      table.problem('Value', 'It is too long for a variable.', 'Write it into a file with [[File]].');
    if (name !== undefined) byName.set(name, { name, from });
  }
  return [...byName.values()];
}

function readName(table: Table, allowed: readonly RegExp[]): string | undefined {
  const name = table.line('Name', 1000);
  if (name === undefined) {
    if (!table.has('Name') || table.raw('Name') === '')
      table.problem('Name', 'It is missing.', 'Write Name = "…".');
    return undefined;
  }
  if (!isVariableName(name))
    table.problem(
      'Name',
      `${quote(name)} is not the name of a variable.`,
      'Use A-Z a-z 0-9 _ . -, no digit and no two dots first, and 200 characters at most.',
    );
  else if (/^(H2O_CLOUD|HAIC_)/.test(name))
    table.problem('Name', `${name} is set by the platform.`, 'Remove it, or choose another name.');
  else if (
    name.startsWith('H2O_WAVE') &&
    name !== 'H2O_WAVE_APP_MODE' &&
    !allowed.some((regex) => regex.test(name))
  )
    table.problem(
      'Name',
      `${name} is reserved for the platform.`,
      'Remove it; the administrator may allow it.',
    );
  return name;
}
