import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Bench, createBench, shell } from '../contract-workloads.ts';
import { longestLine } from './log-lines.ts';
import type { LocalRuntime } from './runtime.ts';
import { makeInstallation } from './testing.ts';

const limit = 200_000;

describe('logs of a local workload', () => {
  let installation: Awaited<ReturnType<typeof makeInstallation>>;
  let runtime: LocalRuntime;
  let t: Bench;
  before(async () => {
    const timing = { backOffFirst: 50, backOffLongest: 100, logRotationPoll: 50, livenessPoll: 200 };
    installation = await makeInstallation({ timing, logLimitBytes: limit });
    runtime = await installation.start();
    t = createBench({ runtime, image: 'system' });
  });
  after(() => installation.destroy());
  const filesOf = async (name: string, attempt: number) => {
    const directory = path.join(
      installation.options.stateDirectory,
      'workloads',
      name,
      'attempts',
      String(attempt),
    );
    const names = (await readdir(directory)).filter((file) => file === 'log' || file === 'log.1');
    return Promise.all(
      names.map(async (file) => ({ file, size: (await stat(path.join(directory, file))).size })),
    );
  };
  const python = (script: string) => ['/usr/bin/python3', '-uc', `import os, sys, time\n${script}`];

  it('rotates a log while it is followed, without a gap', async () => {
    const lines = 12_000;
    // Pauses let the follower keep pace: what is rotated away twice is gone for everybody.
    const spec = t.spec({
      command: python(
        `for i in range(${lines}):\n  os.write(1, b"%06d " % i + b"x" * 60 + b"\\n")\n  if i % 500 == 0: time.sleep(0.06)\ntime.sleep(60)`,
      ),
      terminationGracePeriodSeconds: 0,
    });
    await t.apply(spec);
    let expected = 0;
    let gaps = 0;
    for await (const line of runtime.logs(spec.name, {
      follow: true,
      signal: AbortSignal.any([t.signal, AbortSignal.timeout(20_000)]),
    })) {
      if (!/^\d{6} x{60}$/.test(line) || Number(line.slice(0, 6)) !== expected) gaps += 1;
      expected = Number(line.slice(0, 6)) + 1;
      if (expected === lines) break;
    }
    assert.equal(expected, lines);
    // Between copy and truncation a line may be lost; never many.
    assert.ok(gaps <= 3, `${gaps} gaps`);
    let files = await filesOf(spec.name, 1);
    // Until the last rotation that is due is done.
    while (files.some(({ file, size }) => file === 'log' && size > limit))
      files = await filesOf(spec.name, 1);
    assert.deepEqual(files.map(({ file }) => file).toSorted(), ['log', 'log.1']);
    for (const { file, size } of files) assert.ok(size < 4 * limit, `${file} has ${size} bytes`);
    const current = (files.find(({ file }) => file === 'log')?.size ?? 0) / 68;
    const tail = await t.lines(spec.name, { tailLines: Math.floor(current) + 500 });
    assert.equal(tail.length, Math.floor(current) + 500, 'a tail reaches into the rotated file');
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
  });

  it('stays small in memory and on the disk, whatever is printed', async () => {
    // The pause: what is printed in the instant between a rotation's copy and its truncation is lost (ADR 1), and a flood keeps
    // rotations coming. That loss has a test of its own; here the last lines come when the flood has been dealt with.
    const spec = t.spec({
      command: python(
        'os.write(1, b"first\\n")\nfor _ in range(160): os.write(1, b"y" * 65536)\ntime.sleep(1)\nos.write(1, b"\\nnul \\0 bad \\xff\\xfe \\x1b[31m\\r\\nlast\\n")\ntime.sleep(60)',
      ),
      terminationGracePeriodSeconds: 0,
    });
    await t.apply(spec);
    const before = process.memoryUsage.rss();
    await t.line(spec.name, /^last$/);
    const lines = await t.lines(spec.name, { tailLines: 3 });
    assert.ok(process.memoryUsage.rss() - before < 60 << 20);
    assert.equal(lines.length, 3);
    assert.ok((lines[0]?.length ?? 0) <= longestLine + 20);
    assert.equal(lines[1], 'nul \0 bad \ufffd\ufffd \u001b[31m');
    assert.equal(lines[2], 'last');
    for (;;) {
      const sizes = await filesOf(spec.name, 1);
      if (sizes.every(({ size }) => size <= 2 * limit)) break;
    }
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
  });

  it('gives lines of stdout and stderr in order however close they are, and the beginning of one that goes on', async () => {
    const spec = t.spec({
      command: shell(
        'for i in 1 2 3; do echo "out $i"; echo "err $i" >&2; done; printf unfinished; sleep 60',
      ),
      terminationGracePeriodSeconds: 0,
    });
    await t.apply(spec);
    await t.line(spec.name, /err 3/);
    while (!(await t.lines(spec.name)).includes('unfinished'));
    const expected = ['out 1', 'err 1', 'out 2', 'err 2', 'out 3', 'err 3', 'unfinished'];
    assert.deepEqual(await t.lines(spec.name), expected);
  });

  it('gives, while it waits for the next start, the log of the process before the one that ended last', async () => {
    const spec = t.spec({
      command: shell('echo "run with $(ls "$HAIC_ROOT/app")"; touch "$HAIC_ROOT/app/mark"; exit 3'),
      volumes: [{ name: 'scratch', mountPath: '/app', source: { kind: 'ephemeral' } }],
    });
    await t.apply(spec);
    await t.until(spec.name, ({ status }) => status.phase === 'BackOff' && status.restartCount === 1);
    assert.deepEqual(await t.lines(spec.name, { previous: true }), ['run with ']);
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
  });

  it('keeps the last two attempts', async () => {
    const spec = t.spec({ command: shell('echo attempt; exit 1') });
    await t.apply(spec);
    await t.until(spec.name, ({ status }) => status.restartCount >= 4);
    const attempts = await readdir(
      path.join(installation.options.stateDirectory, 'workloads', spec.name, 'attempts'),
    );
    assert.ok(attempts.length <= 2, attempts.join());
    assert.deepEqual(await t.lines(spec.name, { previous: true }), ['attempt']);
  });
});
