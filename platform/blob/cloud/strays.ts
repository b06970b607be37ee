import { isUploadId, noteName } from './upload-note.ts';

/** Whatever is younger may be a change that is going on. */
const anHour = 60 * 60 * 1000;

export interface StrayOptions {
  readonly signal: AbortSignal;
  readonly settledAfterMs?: number;
}

export const settledBefore = ({ settledAfterMs = anHour }: StrayOptions): number =>
  Date.now() - settledAfterMs;

/** Of objects in `uploads/<id>/`, named from the id on: those of ids that have no note, and so are no upload. */
export function withoutNote<T extends { readonly name: string; readonly modifiedAt: Date }>(
  objects: readonly T[],
  before: number,
): T[] {
  const rooms = new Map<string, T[]>();
  for (const object of objects) {
    const id = object.name.split('/')[0] ?? '';
    if (isUploadId(id)) rooms.set(id, [...(rooms.get(id) ?? []), object]);
  }
  return [...rooms].flatMap(([id, room]) =>
    room.some(({ name }) => name === `${id}/${noteName}`) ||
    room.some(({ modifiedAt }) => modifiedAt.getTime() > before)
      ? []
      : room,
  );
}
