import type { FileHandle } from 'node:fs/promises';
import { createRequire, syncBuiltinESMExports } from 'node:module';

type Function = (...args: unknown[]) => unknown;

/** The functions by which a file is made, filled, named or made durable. */
const writing = ['open', 'mkdir', 'link', 'rename', 'writeFile'] as const;
const ofHandles = ['writev', 'write', 'sync'] as const;
const writingAtOnce = [
  'openSync',
  'writevSync',
  'writeSync',
  'fsyncSync',
  'fdatasyncSync',
  'renameSync',
] as const;

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
  const require = createRequire(import.meta.url);
  const files = require('node:fs/promises') as Record<string, Function> & {
    open(path: string): Promise<FileHandle>;
  };
  const handle = await files.open('/dev/null');
  const handles = Object.getPrototypeOf(handle) as Record<string, Function>;
  await handle.close();
  let calls = 0;
  let failed = false;
  const restore: (() => void)[] = [];
  const wrap = (object: Record<string, Function>, name: string, refuse: (error: Error) => unknown) => {
    const original = object[name];
    if (original === undefined) throw new Error(`There is no ${name}.`);
    object[name] = function (this: unknown, ...args: unknown[]) {
      // Reading goes on.
      const reads = name.startsWith('open') && !String(args[1]).startsWith('w');
      // Renaming takes no space.
      const needsNothing = code === 'ENOSPC' && name.startsWith('rename');
      if (reads || needsNothing) return original.apply(this, args);
      calls += 1;
      if (lasts === 'once' ? calls !== at : calls < at) return original.apply(this, args);
      failed = true;
      return refuse(Object.assign(new Error(`${code}: broken for a test, ${name}`), { code }));
    };
    restore.push(() => {
      object[name] = original;
    });
  };
  const reject = (error: Error) => Promise.reject(error);
  const raise = (error: Error) => {
    throw error;
  };
  for (const name of writing) wrap(files, name, reject);
  for (const name of ofHandles) wrap(handles, name, reject);
  for (const name of writingAtOnce) wrap(require('node:fs') as Record<string, Function>, name, raise);
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
