import { randomBytes } from 'node:crypto';
import { sideBySide } from '@haic/kit/side-by-side.ts';
import type { Question } from './ask.ts';
import { type GcsObject, type GcsRoom, objectFields, objectPath } from './room.ts';

/** Google's limit of the sources of one object. */
const mostAtOnce = 32;

interface Target {
  readonly name: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly query?: Question['query'];
}

/** One object of many, in their order: of more than 32 first objects of 32 each, whose names begin with `steps`. Only the last step is seen. */
export async function compose(
  room: GcsRoom,
  sources: readonly string[],
  target: Target,
  { steps, signal }: { steps: string; signal: AbortSignal },
): Promise<GcsObject> {
  const mine = randomBytes(8).toString('hex');
  let names = sources;
  for (let level = 1; names.length > mostAtOnce; level += 1) {
    const groups = groupsOf(names).map((group, i) => ({ group, name: `${steps}${mine}-${level}-${i}` }));
    await sideBySide(groups, ({ group, name }) => composeOnce(room, group, { name }, signal));
    names = groups.map(({ name }) => name);
  }
  return composeOnce(room, names, target, signal);
}

const groupsOf = (names: readonly string[]): (readonly string[])[] =>
  Array.from({ length: Math.ceil(names.length / mostAtOnce) }, (_, i) =>
    names.slice(i * mostAtOnce, (i + 1) * mostAtOnce),
  );

const composeOnce = (
  room: GcsRoom,
  names: readonly string[],
  { name, metadata, query }: Target,
  signal: AbortSignal,
): Promise<GcsObject> =>
  room.forJson<GcsObject>({
    method: 'POST',
    path: `${objectPath(room, name)}/compose`,
    query: { fields: objectFields, ...query },
    json: {
      sourceObjects: names.map((source) => ({ name: source })),
      destination: {
        contentType: 'application/octet-stream',
        ...(metadata === undefined ? {} : { metadata }),
      },
    },
    signal,
  });
