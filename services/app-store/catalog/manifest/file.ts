import path from 'node:path/posix';
import { quote } from '../bundle/problems.ts';
import type { ManifestFile } from '../client.ts';
import { systemFolderOf } from './system-folders.ts';
import type { Table } from './table.ts';
import { readValueSource, type SecretTables } from './value-source.ts';

const appRoot = '/app';

/** On a cluster each entry's folder becomes a mount: it must be a sub-folder, and nobody else's. */
export function readFiles(tables: readonly Table[], secrets: SecretTables): ManifestFile[] {
  const folders = new Set<string>();
  return tables.flatMap((table) => {
    const from = readValueSource(table, secrets);
    const file = readPath(table);
    if (file === undefined) return [];
    const folder = path.dirname(path.resolve(appRoot, file));
    if (folders.has(folder))
      table.problem(
        'Path',
        `Another [[File]] is in the folder of ${quote(file)} already.`,
        'Give each a folder of its own.',
      );
    folders.add(folder);
    return [{ path: file, from }];
  });
}

function readPath(table: Table): string | undefined {
  const text = table.line('Path', 500);
  if (text === undefined) {
    if (!table.has('Path') || table.raw('Path') === '')
      table.problem('Path', 'It is missing.', 'Write Path = "folder/file".');
    return undefined;
  }
  const remedy = 'Use a path like "config/settings.json".';
  if (text.endsWith('/') || text.includes('\\') || text.split('/').includes('..')) {
    table.problem('Path', `${quote(text)} is not the path of a file below the app.`, remedy);
    return undefined;
  }
  const normal = path.normalize(text);
  const whole = path.resolve(appRoot, normal);
  const folder = path.dirname(whole);
  if (folder === appRoot || folder === '/')
    table.problem('Path', `${quote(text)} is in no sub-folder.`, remedy);
  else if (systemFolderOf(folder) !== undefined || systemFolderOf(whole) !== undefined)
    table.problem(
      'Path',
      `${quote(text)} is in ${systemFolderOf(folder) ?? whole}, which the platform needs itself.`,
      remedy,
    );
  return normal;
}
