import type { DescMessage, JsonValue, Message, MessageShape } from '@bufbuild/protobuf';
import type { FieldMask } from '@bufbuild/protobuf/wkt';
import { type Binding, type FieldPath, type Found, fieldPath } from './bindings.ts';
import { invalidArgument } from './errors.ts';
import { fromText, maskPaths, shortened } from './field-text.ts';
import { readField, readInto } from './json-in.ts';
import { newMessage } from './new-message.ts';
import { decodeText } from './template.ts';

type Tree = { [name: string]: JsonValue };

/** A mask is set by hand: its paths are more than what its JSON can say (`securities.+1`). */
interface Mask {
  readonly path: FieldPath;
  readonly paths: readonly string[];
}

/**
 * The request message of a call by HTTP: the body, then the query for what neither body nor path holds, then the path, which nothing can
 * contradict.
 */
export function requestOf(found: Found, query: string, body: JsonValue): MessageShape<DescMessage> {
  const { binding } = found;
  const { method } = binding;
  const { input } = method.desc;
  const message = newMessage(input);
  if (binding.body === 'all') readInto(input, message, body, method.json);
  else if (binding.body !== undefined) readField(binding.body, message, body, method.json);
  const tree: Tree = {};
  const masks = bindQuery(binding, query, tree);
  bindPath(found, tree);
  readInto(input, message, tree, method.json);
  for (const mask of masks) setMask(message, mask);
  return message;
}

/** As much of the message of a call as its path holds. */
export function addressed(found: Found): MessageShape<DescMessage> {
  const { method } = found.binding;
  const message = newMessage(method.desc.input);
  const tree: Tree = {};
  bindPath(found, tree);
  readInto(method.desc.input, message, tree, method.json);
  return message;
}

function bindPath({ binding, values }: Found, tree: Tree): void {
  for (const [name, value] of values) {
    const path = binding.variables.get(name);
    if (path !== undefined) place(tree, path, fromText(lastOf(path), value));
  }
}

/** Far more than a message has fields and a list has use for. */
const mostParameters = 1000;

function bindQuery(binding: Binding, query: string, tree: Tree): Mask[] {
  if (query === '') return [];
  const parameters = query.split('&');
  if (parameters.length > mostParameters)
    throw invalidArgument(`The address has more than ${mostParameters} parameters.`);
  const masks: Mask[] = [];
  for (const parameter of parameters) {
    const [name, text] = readParameter(parameter);
    if (name === '') continue;
    const path = binding.body === 'all' ? undefined : fieldPath(binding.method.desc.input, name);
    if (path === undefined) {
      if (binding.method.json.unknownQuery === 'refused')
        throw invalidArgument(`This call has no parameter "${shortened(name)}".`);
      continue;
    }
    // Clients send what is not set as an empty text.
    if (text === '' || isBoundElsewhere(binding, path)) continue;
    bindParameter(path, text, tree, masks);
  }
  return masks;
}

function readParameter(parameter: string): [name: string, text: string] {
  const at = parameter.indexOf('=');
  const name = decodePart(at === -1 ? parameter : parameter.slice(0, at));
  const text = at === -1 ? '' : decodePart(parameter.slice(at + 1));
  if (name === undefined || text === undefined)
    throw invalidArgument(`The parameter "${shortened(parameter)}" is not percent-encoded UTF-8.`);
  return [name, text];
}

const decodePart = (part: string): string | undefined =>
  decodeText(part.includes('+') ? part.replaceAll('+', ' ') : part);

function isBoundElsewhere(binding: Binding, path: FieldPath): boolean {
  if (path[0] === binding.body) return true;
  for (const bound of binding.variables.values())
    if (bound.length === path.length && bound.every((field, at) => field === path[at])) return true;
  return false;
}

function bindParameter(path: FieldPath, text: string, tree: Tree, masks: Mask[]): void {
  const field = lastOf(path);
  if (field.fieldKind === 'message' && field.message.typeName === 'google.protobuf.FieldMask') {
    // In place, so that the messages on the way are there.
    place(tree, path, '');
    masks.push({ path, paths: maskPaths(text) });
    return;
  }
  const json = fromText(field, text);
  const before = at(tree, path);
  if (field.fieldKind === 'list') {
    if (Array.isArray(before)) before.push(json);
    else place(tree, path, [json]);
    return;
  }
  if (before !== undefined) throw invalidArgument(`${field.jsonName} is given twice.`);
  place(tree, path, json);
}

/** Names of fields only are written, so a tree has no key of a stranger's. */
function place(tree: Tree, path: FieldPath, json: JsonValue): void {
  let node = tree;
  for (const field of path.slice(0, -1)) {
    const next = node[field.jsonName];
    const inner = isTree(next) ? next : {};
    node[field.jsonName] = inner;
    node = inner;
  }
  node[lastOf(path).jsonName] = json;
}

function at(tree: Tree, path: FieldPath): JsonValue | undefined {
  let node: JsonValue | undefined = tree;
  for (const field of path) node = isTree(node) ? node[field.jsonName] : undefined;
  return node;
}

const isTree = (json: JsonValue | undefined): json is Tree =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

function setMask(message: Message, { path, paths }: Mask): void {
  let node: unknown = message;
  for (const field of path) node = (node as Record<string, unknown>)[field.localName];
  (node as FieldMask).paths.push(...paths);
}

// A path has at least one field.
const lastOf = (path: FieldPath) => path.at(-1) ?? path[0];
