import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fromWriteError } from '@haic/kit/errors.ts';
import type { ContentOptions } from '../port.ts';
import { ContentBroken, checkedContent } from './checked-content.ts';

/** For a store that must be told a length which nobody knows: the content goes to a file first. */
export async function spooled<T>(
  content: Readable,
  key: string,
  options: ContentOptions,
  use: (content: Readable, size: number) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'haic-spool-'));
  const file = path.join(folder, 'content');
  try {
    let size = 0;
    const pieces = checkedContent(content, key, options, { md5: false, tell: (sums) => (size = sums.size) });
    await pipeline(Readable.from(pieces), createWriteStream(file, { mode: 0o600 }), {
      signal: options.signal,
    }).catch((error: unknown) => {
      throw options.signal.aborted ? options.signal.reason : new ContentBroken(fromWriteError(error));
    });
    return await use(createReadStream(file), size);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
