import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { startPreparations } from './test-preparations.ts';

describe('what is prepared beside the tests', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'haic-preparations-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));
  const script = async (name: string, source: string): Promise<string> => {
    const file = path.join(directory, `${name}.mjs`);
    await writeFile(file, source);
    return file;
  };
  const soon = <T>(look: () => Promise<T | undefined>) =>
    until(look, { everyMs: 20, signal: deadline(20_000) });

  it('is done one after the other, and who waits goes on also after one that failed', async () => {
    const trace = path.join(directory, 'trace');
    const tracing = (word: string) =>
      `import { appendFileSync } from 'node:fs'; appendFileSync(${JSON.stringify(trace)}, '${word} ');`;
    const failing = await script('failing', `${tracing('first')} process.exit(3);`);
    const working = await script('working', tracing('second'));
    const preparations = startPreparations([failing, working]);
    await preparations.done(failing);
    await preparations.done(working);
    assert.equal(await readFile(trace, 'utf8'), 'first second ');
    await preparations.done('nobody prepares this');
    preparations.stop();
  });

  it('ends when it is stopped, with what it started in sessions of their own', async () => {
    const pidFile = path.join(directory, 'pid');
    const server = await script(
      'server',
      `import { spawn } from 'node:child_process'; import { writeFileSync } from 'node:fs';
       const { pid } = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
       writeFileSync(${JSON.stringify(pidFile)}, String(pid)); setInterval(() => {}, 1000);`,
    );
    const preparations = startPreparations([server]);
    const pid = await soon(async () => Number(await readFile(pidFile, 'utf8').catch(() => '')) || undefined);
    const done = preparations.done(server);
    preparations.stop();
    await done;
    await soon(async () => (lives(pid) ? undefined : true));
  });
});

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
