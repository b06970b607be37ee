import { quote } from '../bundle/problems.ts';
import type { ValueSource } from '../client.ts';
import type { Table } from './table.ts';

const secretName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const secretKey = /^[-._a-zA-Z0-9]{1,253}$/;

/** Whether there is such a key of such a secret, for the one who imports. */
export type SecretLookup = (secret: string, key: string) => boolean;

/** This installation keeps no secrets: an app that needs one cannot run. */
export const noSecrets: SecretLookup = () => false;

/** `Value`, or `Secret` with `SecretKey` and perhaps `Optional`. */
export function readValueSource(table: Table, hasSecret: SecretLookup = noSecrets): ValueSource {
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
  if (secret === undefined && key === undefined)
    table.problem(
      'Value',
      'There is neither a Value nor a Secret.',
      'Write Value = "…", or Secret and SecretKey.',
    );
  else if (secret === undefined || secret.length > 63 || !secretName.test(secret))
    table.problem(
      'Secret',
      `${quote(secret ?? '')} is not the name of a secret.`,
      'Use at most 63 of a-z 0-9 - and dots.',
    );
  else if (key === undefined || !secretKey.test(key) || key === '.' || key === '..')
    table.problem(
      'SecretKey',
      `${quote(key ?? '')} is not a key of a secret.`,
      'Use at most 253 of A-Z a-z 0-9 - _ and dots.',
    );
  else if (!optional && !hasSecret(secret, key))
    table.problem(
      'Secret',
      `There is no key ${quote(key)} of a secret ${quote(secret)}.`,
      'Write Optional = true if the app can do without, or write its Value.',
    );
  return { kind: 'secret', secret: secret ?? '', key: key ?? '', optional };
}
