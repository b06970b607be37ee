import {
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type MessageShape,
  toJson,
} from '@bufbuild/protobuf';
import type { JsonRules } from './service.ts';

/**
 * A message as the contracts want it: every field without presence is written, zero values included, enums by name, 64-bit integers as texts.
 * Messages and `optional` fields that are unset are left out, except times where a contract wants `null`.
 */
export function writeJson<Desc extends DescMessage>(
  desc: Desc,
  message: MessageShape<Desc>,
  rules: JsonRules,
): JsonValue {
  const json = toJson(desc, message, {
    alwaysEmitImplicit: true,
    ...(rules.registry === undefined ? {} : { registry: rules.registry }),
  }) as JsonValue;
  if (!isObject(json)) return json;
  if (rules.emptyPageToken === 'omitted' && json.nextPageToken === '') delete json.nextPageToken;
  if (rules.unsetTimestamps === 'null') writeUnsetTimes(desc, json);
  return json;
}

function writeUnsetTimes(desc: DescMessage, json: JsonValue | undefined): void {
  if (!isObject(json)) return;
  for (const { field, child } of timesWithin(desc)) {
    const value = json[field.jsonName];
    if (child === undefined) json[field.jsonName] ??= null;
    else if (field.fieldKind === 'message') writeUnsetTimes(child, value);
    else if (Array.isArray(value)) for (const item of value) writeUnsetTimes(child, item);
    else if (isObject(value)) for (const item of Object.values(value)) writeUnsetTimes(child, item);
  }
}

interface Within {
  readonly field: DescField;
  /** The message to go on with; undefined where the field is a time itself. */
  readonly child: DescMessage | undefined;
}

const known = new WeakMap<DescMessage, readonly Within[]>();

/** The fields of a message that are times or messages of ours. A time in a oneof that is unset stays away: `null` would choose it. */
function timesWithin(desc: DescMessage): readonly Within[] {
  const before = known.get(desc);
  if (before !== undefined) return before;
  const found = desc.fields.flatMap((field): Within[] => {
    const { message } = field;
    if (message === undefined) return [];
    const isTime = message.typeName === 'google.protobuf.Timestamp';
    if (isTime && field.fieldKind === 'message' && field.oneof === undefined)
      return [{ field, child: undefined }];
    return message.typeName.startsWith('google.protobuf.') ? [] : [{ field, child: message }];
  });
  known.set(desc, found);
  return found;
}

const isObject = (json: JsonValue | undefined): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);
