import process from 'node:process';
import { keepCompiled } from '../compile-cache.ts';
import { say } from '../terminal.ts';

/** Of one test file in the ci size; the longest takes three minutes. */
const longestMs = 8 * 60_000;

// Loaded into each test file's process, before the file itself: hundreds of them load the same sources.
keepCompiled();

// Tests that have all ended, and left something open, would keep the whole run waiting for ever.
if (process.env.NODE_TEST_CONTEXT !== undefined && process.env.HAIC_TEST_SIZE === 'ci')
  setTimeout(() => {
    say(
      `${process.argv[1]} has not ended in ${longestMs / 60_000} minutes: something that it started goes on.`,
    );
    process.exit(1);
  }, longestMs).unref();
