import { isSecretKey, parseReference } from '@haic/services/secrets/app-secrets/client.ts';
import { quote } from '../bundle/problems.ts';
import type { ValueSource } from '../client.ts';
import type { Table } from './table.ts';

/** The table of app.toml in which each value stands that is a key of a secret. */
export type SecretTables = Map<ValueSource, Table>;

/** `Value`, or `Secret` with `SecretKey` and perhaps `Optional`. Whether there is such a secret is asked of the secrets (`secrets.ts`). */
export function readValueSource(table: Table, secrets: SecretTables): ValueSource {
  const value = table.text('Value');
  const secret = table.line('Secret', 300);
  const key = table.line('SecretKey', 300);
  const optional = table.boolean('Optional');
  if (table.has('Value')) {
    if (secret !== undefined || key !== undefined)
      table.problem('Value', 'There is a Secret too.', 'Keep either Value, or Secret and SecretKey.');
    if (optional) table.problem('Optional', 'It belongs to a Secret.', 'Remove it.');
    return { kind: 'literal', value: value ?? '' };
  }
  const from: ValueSource = { kind: 'secret', secret: secret ?? '', key: key ?? '', optional };
  if (secret === undefined && key === undefined)
    table.problem(
      'Value',
      'There is neither a Value nor a Secret.',
      'Write Value = "…", or Secret and SecretKey.',
    );
  else if (parseReference(secret ?? '') === undefined)
    table.problem(
      'Secret',
      `${quote(secret ?? '')} is not the name of a secret.`,
      'Use at most 63 of a-z 0-9 - and dots, or workspaces/<id>/secrets/<name>.',
    );
  else if (!isSecretKey(key ?? ''))
    table.problem(
      'SecretKey',
      `${quote(key ?? '')} is not a key of a secret.`,
      'Use at most 253 of A-Z a-z 0-9 - _ and dots.',
    );
  else secrets.set(from, table);
  return from;
}
