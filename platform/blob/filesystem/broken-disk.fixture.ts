import type { FileHandle } from 'node:fs/promises';
import { createRequire, syncBuiltinESMExports } from 'node:module';

type Function = (...args: unknown[]) => Promise<unknown>;

/** The functions by which a file is made, filled, named or made durable. */
const writing = ['open', 'mkdir', 'link', 'rename', 'writeFile'] as const;
const ofHandles = ['writev', 'write', 'sync'] as const;

export interface BrokenDisk {
  /** Whether so many calls came that one failed. */
  readonly failed: boolean;
  repair(): void;
}

/**
 * From the call number `at` on (1 is the next one) the disk refuses to be written to, with the code: once, or until it is repaired. What
 * frees space goes on. Of this process: nothing else may write meanwhile.
 */
export async function breakDisk(
  at: number,
  code: 'EIO' | 'ENOSPC',
  lasts: 'once' | 'on',
): Promise<BrokenDisk> {
  const files = createRequire(import.meta.url)('node:fs/promises') as Record<string, Function> & {
    open(path: string): Promise<FileHandle>;
  };
  const handle = await files.open('/dev/null');
  const handles = Object.getPrototypeOf(handle) as Record<string, Function>;
  await handle.close();
  let calls = 0;
  let failed = false;
  const restore: (() => void)[] = [];
  const wrap = (object: Record<string, Function>, name: string) => {
    const original = object[name];
    if (original === undefined) throw new Error(`There is no ${name}.`);
    object[name] = function (this: unknown, ...args: unknown[]) {
      // Reading goes on.
      const reads = name === 'open' && !String(args[1]).startsWith('w');
      // Renaming takes no space.
      const needsNothing = code === 'ENOSPC' && name === 'rename';
      if (reads || needsNothing) return original.apply(this, args);
      calls += 1;
      if (lasts === 'once' ? calls !== at : calls < at) return original.apply(this, args);
      failed = true;
      return Promise.reject(Object.assign(new Error(`${code}: broken for a test, ${name}`), { code }));
    };
    restore.push(() => {
      object[name] = original;
    });
  };
  for (const name of writing) wrap(files, name);
  for (const name of ofHandles) wrap(handles, name);
  syncBuiltinESMExports();
  return {
    get failed() {
      return failed;
    },
    repair: () => {
      for (const each of restore) each();
      syncBuiltinESMExports();
    },
  };
}
