import { create, type DescMessage, type Message } from '@bufbuild/protobuf';

/** A message as it is in memory: values by local names. */
export type Fields = Message & Record<string, unknown>;

/**
 * What `create(desc)` of protobuf-es makes, as a copy of one that it made: setting a dozen properties by name, as `create` does, leaves an object that
 * JavaScript keeps as a table, slow to make and to read ever after.
 */
export function newMessage(desc: DescMessage): Fields {
  let make = known.get(desc);
  if (make === undefined) {
    make = creatorOf(desc);
    known.set(desc, make);
  }
  return make();
}

const known = new WeakMap<DescMessage, () => Fields>();

/** For who makes many of one kind. */
export function creatorOf(desc: DescMessage): () => Fields {
  const empty = create(desc) as Fields;
  // Older syntaxes keep their defaults on a prototype.
  if (Object.getPrototypeOf(empty) !== Object.prototype) return () => create(desc) as Fields;
  // A copy, which is no table.
  const template = { ...empty };
  const own = desc.members.flatMap((member): [name: string, fresh: () => unknown][] => {
    const { localName } = member;
    if (member.kind === 'oneof') return [[localName, () => ({ case: undefined })]];
    if (member.fieldKind === 'list') return [[localName, () => []]];
    return member.fieldKind === 'map' ? [[localName, () => ({})]] : [];
  });
  return () => {
    const message = { ...template };
    for (const [name, fresh] of own) message[name] = fresh();
    return message;
  };
}
