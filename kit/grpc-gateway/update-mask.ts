import { type DescField, type DescMessage, isFieldSet, type MessageShape } from '@bufbuild/protobuf';
import type { FieldMask } from '@bufbuild/protobuf/wkt';
import { type HaicError, invalid } from '../errors.ts';
import { shortened } from './field-text.ts';

/** What an update can do to a resource, by the local names of its fields. A field that is in neither list never changes. */
export interface UpdateRules<Desc extends DescMessage, Field extends NameIn<Desc>> {
  readonly changeable: readonly Field[];
  /** What the service writes. A mask may name it and changes nothing by that, so that one mask does to read and to write (AIP-161). */
  readonly outputOnly: readonly NameIn<Desc>[];
  /** An update without a mask changes the fields that are not empty (AIP-134), unless the contract of the service demands one. */
  readonly unmasked: 'what is given' | 'refused';
}

type NameIn<Desc extends DescMessage> = string & keyof MessageShape<Desc>;

export type Changes<Desc extends DescMessage, Field extends NameIn<Desc>> = {
  readonly [Name in Field]?: MessageShape<Desc>[Name];
};

/**
 * What an update changes: with a mask the fields that it names, cleared where they are not given; with `*` all that can be changed. Paths are
 * written in snake or camel case. A mask without a path is none, since its two forms on the wire cannot be told apart in JSON.
 *
 * Throws `invalid_update_mask` (400) with the path that is wrong, and `nothing_to_change` (400).
 */
export function changesBy<Desc extends DescMessage, Field extends NameIn<Desc>>(
  desc: Desc,
  resource: MessageShape<Desc>,
  mask: FieldMask | undefined,
  rules: UpdateRules<Desc, Field>,
): Changes<Desc, Field> {
  const paths = mask?.paths ?? [];
  const changeable = desc.fields.filter(({ localName }) => isAmong(rules.changeable, localName));
  const named = paths.flatMap((path) => fieldsAt(path, desc, changeable, rules.outputOnly));
  if (paths.length === 0 && rules.unmasked === 'refused')
    throw wrongMask(`updateMask is missing: * or any of ${namesOf(changeable)}.`);
  const changed = paths.length === 0 ? changeable.filter((field) => isFieldSet(resource, field)) : named;
  if (changed.length === 0)
    throw invalid('nothing_to_change', `Name what is to change: ${namesOf(changeable)}.`);
  const chosen = new Set<string>(changed.map(({ localName }) => localName));
  const changes: { [Name in Field]?: MessageShape<Desc>[Name] } = {};
  for (const name of rules.changeable) if (chosen.has(name)) changes[name] = resource[name];
  return changes;
}

function fieldsAt(
  path: string,
  { fields }: DescMessage,
  changeable: readonly DescField[],
  outputOnly: readonly string[],
): readonly DescField[] {
  if (path === '*') return changeable;
  const [first = '', ...within] = path.split('.');
  const field = fields.find(({ name, jsonName }) => name === first || jsonName === first);
  if (field === undefined) throw wrongPath(path, 'is no field', changeable);
  if (isAmong(outputOnly, field.localName)) return [];
  if (!changeable.includes(field)) throw wrongPath(path, 'never changes', changeable);
  if (within.length > 0) throw wrongPath(path, `is a part of ${field.name}, which changes whole`, changeable);
  return [field];
}

const isAmong = (names: readonly string[], name: string): boolean => names.includes(name);
const namesOf = (fields: readonly DescField[]): string => fields.map(({ name }) => name).join(', ');

const wrongPath = (path: string, why: string, changeable: readonly DescField[]): HaicError =>
  wrongMask(`updateMask: "${shortened(path)}" ${why}. What can be changed is ${namesOf(changeable)}.`);
const wrongMask = (why: string): HaicError => invalid('invalid_update_mask', why);
