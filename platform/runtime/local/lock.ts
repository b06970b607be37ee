import { spawn } from 'node:child_process';
import path from 'node:path';
import { sleep } from '@haic/kit/deadline.ts';
import { conflict } from '@haic/kit/errors.ts';

export interface Lock {
  release(): Promise<void>;
}

/**
 * The state directory belongs to one runtime at a time. A helper holds the kernel's lock on a file and waits for the end of its
 * stdin: that comes when its owner ends, however it ends, so the lock needs no clean-up and cannot be left behind.
 */
export async function lockDirectory(directory: string, options: { patienceMs: number }): Promise<Lock> {
  const until = Date.now() + options.patienceMs;
  for (;;) {
    const lock = await tryLock(path.join(directory, 'lock'));
    if (lock !== undefined) return lock;
    if (Date.now() > until)
      throw conflict(
        'runtime_in_use',
        `Another Haic is running on ${directory}. Stop it first (./haic down).`,
      );
    await sleep(100);
  }
}

function tryLock(file: string): Promise<Lock | undefined> {
  return new Promise((resolve, reject) => {
    const helper = spawn(
      'flock',
      ['--nonblock', '--conflict-exit-code', '75', file, 'sh', '-c', 'echo locked; exec cat'],
      {
        // Its own session: a Ctrl-C meant for the owner must not take the lock away while the owner still works.
        detached: true,
        stdio: ['pipe', 'pipe', 'ignore'],
        env: { PATH: '/usr/bin:/bin:/usr/local/bin' },
      },
    );
    helper.once('error', (cause) =>
      reject(new Error('flock (package util-linux) is needed and could not be started.', { cause })),
    );
    const ended = new Promise<void>((done) => helper.once('close', () => done()));
    helper.once('exit', (code) =>
      code === 75 ? resolve(undefined) : reject(new Error(`flock ended with ${code}`)),
    );
    helper.stdout.once('data', () => {
      helper.unref();
      resolve({
        async release() {
          // Its end is waited for, so it has to keep this process alive until then.
          helper.ref();
          helper.stdin.end();
          await ended;
        },
      });
    });
  });
}
