import { type DescField, type DescMessage, getOption } from '@bufbuild/protobuf';
import { http } from './gen/google/api/annotations_pb.js';
import type { HttpRule } from './gen/google/api/http_pb.js';
import type { ServedMethod, ServedService } from './service.ts';
import { byExactness, matchTemplate, type Path, parseTemplate, type Template } from './template.ts';

/** One address of one method: an annotation or one of its additional bindings. */
export interface Binding {
  readonly method: ServedMethod;
  readonly httpMethod: HttpMethod;
  readonly template: Template;
  /** By the name that the template gives them. */
  readonly variables: ReadonlyMap<string, FieldPath>;
  /** The whole message, one field of it, or nothing. */
  readonly body: 'all' | DescField | undefined;
  readonly responseBody: DescField | undefined;
}

export type FieldPath = readonly [DescField, ...DescField[]];
export type HttpMethod = (typeof httpMethods)[number];
export const httpMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export interface Found {
  readonly binding: Binding;
  readonly values: ReadonlyMap<string, string>;
}

export interface Routes {
  readonly bindings: readonly Binding[];
  readonly find: (method: string, path: Path) => Found | undefined;
  readonly methodsAt: (path: Path) => HttpMethod[];
}

/** The addresses of services, from their annotations. Throws when an annotation contradicts its messages or another annotation. */
export function createRoutes(services: readonly ServedService[]): Routes {
  const bindings = services
    .flatMap(({ methods }) => [...methods.values()])
    .flatMap(bindingsOf)
    .sort((a, b) => byExactness(a.template, b.template));
  refuseDoubles(bindings);
  const byMethod = Map.groupBy(bindings, ({ httpMethod }) => httpMethod);
  const findBy = (method: HttpMethod, path: Path): Found | undefined => {
    for (const binding of byMethod.get(method) ?? []) {
      const values = matchTemplate(binding.template, path);
      if (values !== undefined) return { binding, values };
    }
    return undefined;
  };
  return {
    bindings,
    find: (method, path) => {
      const known = httpMethods.find((name) => name === (method === 'HEAD' ? 'GET' : method));
      return known === undefined ? undefined : findBy(known, path);
    },
    methodsAt: (path) => httpMethods.filter((method) => findBy(method, path) !== undefined),
  };
}

function bindingsOf(method: ServedMethod): Binding[] {
  const rule = getOption(method.desc, http);
  return [rule, ...rule.additionalBindings].flatMap((each) => {
    const { case: kind, value } = each.pattern;
    if (kind === undefined) return [];
    if (kind === 'custom') throw wrong(method, `the HTTP method ${value.kind} is not served`);
    return [bindingOf(method, kind.toUpperCase() as HttpMethod, value, each)];
  });
}

function bindingOf(method: ServedMethod, httpMethod: HttpMethod, source: string, rule: HttpRule): Binding {
  const { input, output, methodKind } = method.desc;
  if (methodKind === 'client_streaming' || methodKind === 'bidi_streaming')
    throw wrong(method, 'HTTP and JSON cannot carry a stream of requests');
  const template = parseTemplate(source);
  const variables = template.variables.map(({ field }) => {
    const path = fieldPath(input, field);
    const last = path?.at(-1);
    if (
      path === undefined ||
      last === undefined ||
      (last.fieldKind !== 'scalar' && last.fieldKind !== 'enum')
    )
      throw wrong(method, `${field} is no field that a path can hold`);
    return [field, path] as const;
  });
  return {
    method,
    httpMethod,
    template,
    variables: new Map(variables),
    body: rule.body === '*' ? 'all' : rule.body === '' ? undefined : fieldOf(method, input, rule.body),
    responseBody: rule.responseBody === '' ? undefined : fieldOf(method, output, rule.responseBody),
  };
}

function fieldOf(method: ServedMethod, message: DescMessage, name: string): DescField {
  const field = message.fields.find((each) => each.name === name);
  if (field === undefined) throw wrong(method, `${message.typeName} has no field ${name}`);
  return field;
}

/** More than any message of ours has, so that what a stranger sends stays cheap. */
const deepest = 12;

/** The fields that a dotted name leads through, by their names in the proto or in JSON. */
export function fieldPath(message: DescMessage, name: string): FieldPath | undefined {
  if (!name.includes('.')) {
    const field = fieldsOf(message).get(name);
    return field && [field];
  }
  const names = name.split('.', deepest + 1);
  if (names.length > deepest) return undefined;
  const fields: DescField[] = [];
  let at: DescMessage | undefined = message;
  for (const each of names) {
    const field: DescField | undefined = at && fieldsOf(at).get(each);
    if (field === undefined) return undefined;
    fields.push(field);
    at = field.fieldKind === 'message' ? field.message : undefined;
  }
  const [first, ...rest] = fields;
  return first && [first, ...rest];
}

const known = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

function fieldsOf(message: DescMessage): ReadonlyMap<string, DescField> {
  const before = known.get(message);
  if (before !== undefined) return before;
  const fields = new Map(
    message.fields.flatMap((field) => [[field.name, field] as const, [field.jsonName, field] as const]),
  );
  known.set(message, fields);
  return fields;
}

function refuseDoubles(bindings: readonly Binding[]): void {
  const seen = new Map<string, Binding>();
  for (const binding of bindings) {
    const shape = binding.template.segments.map((segment) =>
      segment.kind === 'literal' ? segment.text : segment.kind,
    );
    const address = JSON.stringify([binding.httpMethod, shape, binding.template.verb]);
    const other = seen.get(address);
    if (other !== undefined)
      throw wrong(
        binding.method,
        `${binding.template.source} is the address of ${other.method.desc.name} too`,
      );
    seen.set(address, binding);
  }
}

const wrong = (method: ServedMethod, why: string) =>
  new Error(`The HTTP annotation of ${method.desc.parent.typeName}.${method.desc.name} is wrong: ${why}.`);
