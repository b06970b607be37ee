import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * Volumes go through the system's tar: owners by number, modes, links and holes are its trade, and it follows no link that an app
 * has planted. Apps may write meanwhile: what changes or goes away while it is read is taken as it comes.
 */
export function packVolume(
  directory: string,
  signal: AbortSignal,
): { content: Readable; done: Promise<void> } {
  const args = [
    ...['--create', '--sparse', '--numeric-owner', '--one-file-system', '--ignore-failed-read'],
    ...['--warning=no-file-changed', '--warning=no-file-removed', '--warning=no-file-ignored'],
    ...['--directory', directory, '.'],
  ];
  const tar = spawn('tar', args, { env: tarEnvironment, stdio: ['ignore', 'pipe', 'pipe'], signal });
  // 1: some files differ from what they were when tar came by.
  return { content: tar.stdout, done: ended(tar, [0, 1]) };
}

/** Into an empty directory of its own. */
export async function unpackVolume(
  directory: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const owner = process.getuid?.() === 0 ? '--same-owner' : '--no-same-owner';
  const args = [
    ...['--extract', '--numeric-owner', owner, '--preserve-permissions', '--delay-directory-restore'],
    ...['--directory', directory],
  ];
  const tar = spawn('tar', args, { env: tarEnvironment, stdio: ['pipe', 'ignore', 'pipe'], signal });
  const done = ended(tar, [0]);
  // When tar ends early, what it says is worth more than the broken pipe.
  const fed = pipeline(content, tar.stdin).catch(async (error: unknown) => {
    await done;
    throw error;
  });
  await Promise.all([done, fed]);
}

const tarEnvironment = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

function ended(tar: ChildProcess, good: readonly number[]): Promise<void> {
  let said = '';
  tar.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000);
  });
  return new Promise((resolve, reject) => {
    tar.once('error', reject);
    tar.once('close', (code) => {
      if (code !== null && good.includes(code)) return resolve();
      const text = said.trim();
      reject(
        Object.assign(new Error(`tar ended with ${code}: ${text}`), {
          ...(text.includes('No space left on device') ? { code: 'ENOSPC' } : {}),
        }),
      );
    });
  });
}
