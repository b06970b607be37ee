import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sleep } from '@haic/kit/deadline.ts';
import { createBench, idle, refusedWith, shell } from '../contract-workloads.ts';
import type { WorkloadSpec } from '../port.ts';
import { createLocalRuntime } from './runtime.ts';
import { isRoot, makeInstallation } from './testing.ts';

const fixture = fileURLToPath(new URL('./crash.fixture.ts', import.meta.url));

/** Prints its pid as this machine sees it, which a sandbox does not know, by the mark in its command line. */
const marked = (mark: string) => shell(`: ${mark}; echo up; ${idle}`);

/** Processes that run the command with this mark, without the shims and sandboxes around them. */
async function running(mark: string): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const line = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (line[0] === '/bin/sh' && line[1] === '-c' && line[2]?.includes(`: ${mark};`) === true)
      parents.set(Number(name), await parentOf(name));
  }
  // A shell that is about to run another program is two processes with one command line for a moment.
  return [...parents].filter(([, parent]) => !parents.has(parent)).map(([pid]) => pid);
}

async function parentOf(pid: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

for (const isolation of isRoot ? (['required', 'none'] as const) : (['none'] as const)) {
  describe(`a killed platform, isolation ${isolation}`, () => {
    const timing = { backOffFirst: 50, backOffLongest: 400, livenessPoll: 200 };

    const platform = async (options: object, specs: readonly WorkloadSpec[]) => {
      const child = spawn(process.execPath, [fixture, JSON.stringify({ options, specs })], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const acknowledged: string[] = [];
      const lines = createInterface(child.stdout);
      lines.on('line', (line) => acknowledged.push(line));
      return {
        acknowledged,
        until: async (text: string) => {
          while (!acknowledged.includes(text)) await once(lines, 'line');
        },
        async kill() {
          const ended = once(child, 'exit');
          child.kill('SIGKILL');
          await ended;
        },
      };
    };

    it('finds its workloads again: same process, still Ready, nothing twice', async () => {
      const installation = await makeInstallation({ isolation, timing });
      const { logger: _, ...options } = installation.options;
      const mark = `again-${process.pid}-${isolation}`;
      try {
        const first = await platform(options, [spec('stays', mark)]);
        await first.until('acknowledged stays');
        while ((await running(mark)).length !== 1) await sleep(20);
        const [pid] = await running(mark);
        await first.kill();
        assert.deepEqual(await running(mark), [pid], 'the app does not notice');
        const runtime = await installation.start();
        const t = createBench({ runtime, image: 'system' });
        await t.until('stays', 'Ready');
        assert.deepEqual(await running(mark), [pid]);
        assert.deepEqual(await t.lines('stays'), ['up']);
        // What it does from now on is seen as well.
        process.kill(pid ?? 0, 'SIGKILL');
        const { status } = await t.until('stays', ({ status }) => status.restartCount === 1);
        assert.equal(status.lastTermination?.signal, 'SIGKILL');
      } finally {
        await installation.destroy();
      }
      assert.deepEqual(await running(mark), []);
    });

    it('loses nothing that was acknowledged and starts nothing twice, whenever it is killed', async () => {
      const installation = await makeInstallation({ isolation, timing });
      const { logger: _, ...options } = installation.options;
      const mark = `random-${process.pid}-${isolation}`;
      const names = Array.from({ length: 6 }, (_, index) => `app${index}`);
      const specs = names.map((name) => spec(name, `${mark}-${name}`));
      const acknowledged = new Set<string>();
      try {
        for (let round = 0; round < 6; round += 1) {
          const killed = await platform(options, specs);
          await killed.until('runtime');
          await sleep(Math.random() * 120);
          await killed.kill();
          for (const line of killed.acknowledged)
            if (line.startsWith('acknowledged ')) acknowledged.add(line.slice(13));
        }
        const runtime = await installation.start();
        const t = createBench({ runtime, image: 'system' });
        const found = new Set((await runtime.list({})).map(({ name }) => name));
        for (const name of acknowledged) assert.ok(found.has(name), `${name} was acknowledged`);
        for (const name of found) {
          await t.until(name, 'Ready');
          while ((await running(`${mark}-${name}`)).length === 0) await sleep(20);
          assert.equal((await running(`${mark}-${name}`)).length, 1, name);
        }
      } finally {
        await installation.destroy();
      }
      for (const name of names) assert.deepEqual(await running(`${mark}-${name}`), [], 'no orphan');
    });

    it('never takes a stranger with a recycled pid for its own process', async () => {
      const installation = await makeInstallation({ isolation, timing });
      const mark = `recycled-${process.pid}-${isolation}`;
      const stranger = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
      try {
        const first = await installation.start();
        await first.apply(spec('lost', mark), { signal: AbortSignal.timeout(10_000) });
        await createBench({ runtime: first, image: 'system' }).line('lost', /up/);
        await first.stop();
        const attempt = path.join(installation.options.stateDirectory, 'workloads/lost/attempts/1');
        const file = path.join(attempt, 'process.json');
        const record = JSON.parse(await readFile(file, 'utf8'));
        // The shim dies without a word, and its pid goes to somebody else.
        process.kill(record.identity.pid, 'SIGKILL');
        record.identity.pid = stranger.pid;
        await writeFile(file, JSON.stringify(record));
        const t = createBench({ runtime: await installation.start(), image: 'system' });
        const { status } = await t.until('lost', ({ status }) => status.lastTermination !== undefined);
        assert.equal(status.lastTermination?.reason, 'Lost');
        await t.until('lost', 'Ready');
        assert.equal(stranger.exitCode ?? stranger.signalCode, null);
        while ((await running(mark)).length === 0) await sleep(20);
        assert.equal(
          (await running(mark)).length,
          1,
          'what the dead shim left is ended before the next start',
        );
      } finally {
        await installation.destroy();
        stranger.kill('SIGKILL');
      }
      assert.deepEqual(await running(mark), []);
    });

    it('goes on with a removal that it was killed in', async () => {
      const installation = await makeInstallation({ isolation, timing });
      const mark = `removal-${process.pid}-${isolation}`;
      try {
        const first = await installation.start();
        const stubborn = { ...spec('going', mark) };
        const command = shell(`: ${mark}; trap "" TERM; echo up; while :; do sleep 0.05; done`);
        await first.apply(
          { ...stubborn, template: { ...stubborn.template, command, terminationGracePeriodSeconds: 60 } },
          { signal: AbortSignal.timeout(10_000) },
        );
        const t = createBench({ runtime: first, image: 'system' });
        await t.line('going', /up/);
        const removal = first.remove('going', { volumes: 'delete', signal: AbortSignal.timeout(100) });
        await assert.rejects(removal, { name: 'TimeoutError' });
        await first.stop();
        assert.equal((await running(mark)).length, 1);
        const second = await installation.start();
        assert.equal((await second.get('going'))?.status.phase !== 'Ready', true);
        for (const pid of await running(mark)) process.kill(pid, 'SIGKILL');
        await createBench({ runtime: second, image: 'system' }).gone('going');
      } finally {
        await installation.destroy();
      }
    });

    it('`down` ends the processes and keeps the workloads; `up` starts them again', async () => {
      const installation = await makeInstallation({ isolation, timing });
      const mark = `down-${process.pid}-${isolation}`;
      try {
        const first = await installation.start();
        await first.apply(spec('app', mark), { signal: AbortSignal.timeout(10_000) });
        await createBench({ runtime: first, image: 'system' }).line('app', /up/);
        await first.shutdown();
        assert.deepEqual(await running(mark), []);
        const t = createBench({ runtime: await installation.start(), image: 'system' });
        const { status } = await t.until('app', 'Ready');
        assert.deepEqual([status.restartCount, status.lastTermination], [0, undefined]);
      } finally {
        await installation.destroy();
      }
    });

    it('refuses a second runtime on the same state', async () => {
      const installation = await makeInstallation({ isolation });
      try {
        await installation.start();
        const second = createLocalRuntime(installation.options);
        await assert.rejects(second, refusedWith('runtime_in_use', 409));
      } finally {
        await installation.destroy();
      }
    });
  });
}

function spec(name: string, mark: string): WorkloadSpec {
  return createBench({ runtime: {} as never, image: 'system' }).spec(
    { command: marked(mark), terminationGracePeriodSeconds: 2 },
    { name },
  );
}
