import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ifThere } from './files.ts';

export const partListName = 'parts.json';

/** A file in a version's folder, and how many bytes of the blob it is. */
export interface PartFile {
  readonly file: string;
  readonly size: number;
}

/** In the order in which they make the blob; undefined when the folder is not there. */
export async function readPartList(directory: string): Promise<readonly PartFile[] | undefined> {
  const text = await ifThere(readFile(path.join(directory, partListName), 'utf8'));
  return text === undefined ? undefined : (JSON.parse(text) as PartFile[]);
}
