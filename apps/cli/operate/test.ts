import { execFile, spawn } from 'node:child_process';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { whyNotHere } from '@haic/test-cluster/cluster.ts';
import { CommandError, exitCodes, print, say, table } from '../terminal.ts';
import { type TestArea, type TestNeed, testAreas, testNeeds } from './test-areas.ts';
import { inTestCluster } from './test-cluster.ts';
import { type FailedTest, type FileCounts, filesToRunAgain, totals, withSecondRun } from './test-outcome.ts';
import { type Preparations, startPreparations } from './test-preparations.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

interface AreaResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly failures: readonly FailedTest[];
  /** Tests that failed, and passed when their file was run once more. */
  readonly passedTheSecondTime: readonly FailedTest[];
}

/**
 * Runs one area or all, prints the time of each, and ends with the plain line `N passed, N failed`. The static checks (types, lint,
 * forbidden packages) count as tests of the area `static`.
 */
export async function runTests(options: {
  area: string | undefined;
  size: 'ci' | 'full';
  list: boolean;
}): Promise<void> {
  if (options.list)
    return print(
      table(
        ['AREA', 'ABOUT'],
        [['static', 'types, lint, import rules, protobuf'], ...testAreas.map((a) => [a.name, a.about])],
      ),
    );
  const wanted = selectAreas(options.area);
  const results: AreaResult[] = [];
  await installNeeds(wanted);
  const preparations = startPreparations([...new Set(wanted.flatMap((area) => area.preparedBy))]);
  try {
    if (options.area === undefined || options.area === 'static') results.push(await staticChecks());
    for (const area of wanted) {
      for (const script of area.preparedBy) await prepared(preparations, script);
      results.push(await runArea(area, options.size));
    }
  } finally {
    preparations.stop();
  }
  report(results);
}

/** Waited for at most so long: an area then makes what it needs itself, and says why it cannot. */
const longestWaitMs = 20 * 60_000;

async function prepared(preparations: Preparations, script: string): Promise<void> {
  const from = performance.now();
  await Promise.race([preparations.done(script), pause(longestWaitMs, undefined, { ref: false })]);
  const seconds = (performance.now() - from) / 1000;
  if (seconds > 1) say(`\nWaited ${seconds.toFixed(1)} s for ${script}.`);
}

function selectAreas(name: string | undefined): readonly TestArea[] {
  if (name === undefined) return testAreas;
  if (name === 'static') return [];
  const found = testAreas.filter((area) => area.name === name);
  if (found.length === 0) {
    throw new CommandError(
      `There is no test area "${name}". Areas: static, ${testAreas.map((a) => a.name).join(', ')}.`,
      exitCodes.usage,
    );
  }
  return found;
}

async function staticChecks(): Promise<AreaResult> {
  const started = performance.now();
  const checks: readonly (readonly [string, readonly string[]])[] = [
    ['types', ['node_modules/typescript/bin/tsc', '-p', '.']],
    ['types of the portal', ['node_modules/typescript/bin/tsc', '-p', 'apps/web']],
    ['format, lint and import rules', ['node_modules/@biomejs/biome/bin/biome', 'ci', '.']],
    ['protobuf: lint, breaks, generated code', ['kit/grpc-gateway/generate.ts', '--check']],
  ];
  const failures: FailedTest[] = [];
  say('\n── static ──');
  // At once: each is busy with one processor for most of its time.
  const outcomes = await Promise.all(
    checks.map(async ([name, command]) => ({ name, ...(await capture(process.execPath, command)) })),
  );
  for (const { name, code, output } of outcomes) {
    say(`${code === 0 ? '✔' : '✖'} ${name}`);
    if (code === 0) continue;
    failures.push({ name, said: output.split('\n').slice(0, 30).join('\n') });
    say(output);
  }
  return {
    name: 'static',
    passed: checks.length - failures.length,
    failed: failures.length,
    skipped: 0,
    seconds: (performance.now() - started) / 1000,
    failures,
    passedTheSecondTime: [],
  };
}

async function runArea(area: TestArea, size: 'ci' | 'full'): Promise<AreaResult> {
  const started = performance.now();
  const files: string[] = [];
  for await (const file of glob(area.files as string[], { cwd: root, exclude: ['**/node_modules/**'] }))
    files.push(file);
  const none = { name: area.name, passed: 0, failed: 0, skipped: 0, failures: [], passedTheSecondTime: [] };
  const elapsed = () => (performance.now() - started) / 1000;
  if (files.length === 0) return { ...none, seconds: 0 };
  say(`\n── ${area.name}: ${area.about} ──`);
  const reason = area.inCluster ? whyNotHere() : undefined;
  if (reason !== undefined) {
    say(`Skipped: ${reason}`);
    return { ...none, skipped: 1, seconds: elapsed() };
  }
  const first = await runFiles(area, size, files.sort());
  const again = filesToRunAgain(first);
  if (again.length === 0) return { ...none, ...outcome(first), seconds: elapsed() };
  say(`\nOnce more, because of what failed: ${again.map((file) => path.relative(root, file)).join(', ')}`);
  const second = await runFiles(area, size, again);
  const failedTwice = second.flatMap((file) => file.failed).map((test) => test.name);
  return {
    ...none,
    ...outcome(withSecondRun(first, second)),
    passedTheSecondTime: first
      .flatMap((file) => file.failed)
      .filter((test) => !failedTwice.includes(test.name)),
    seconds: elapsed(),
  };
}

const outcome = (counts: readonly FileCounts[]) => ({
  ...totals(counts),
  failures: counts.flatMap((file) => file.failed),
});

/** Runs test files of an area and says what came of each. */
async function runFiles(
  area: TestArea,
  size: 'ci' | 'full',
  files: readonly string[],
): Promise<readonly FileCounts[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-test-counts-'));
  try {
    const counts = path.join(directory, 'counts.json');
    const args = [
      ...['--import', testProcess],
      '--test',
      `--test-concurrency=${area.concurrency}`,
      `--test-timeout=${size === 'full' ? 3_600_000 : 600_000}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${counter}`,
      `--test-reporter-destination=${counts}`,
      ...files,
    ];
    const tests = (command: string, words: readonly string[], env: NodeJS.ProcessEnv) =>
      passThrough(command, words, { ...env, HAIC_TEST_SIZE: size });
    const code = area.inCluster
      ? await inTestCluster([process.execPath, ...args], area, tests)
      : await tests(process.execPath, args, process.env);
    const counted = JSON.parse(await readFile(counts, 'utf8').catch(() => '[]')) as readonly FileCounts[];
    if (code === 0 || counted.some((file) => file.failed.length > 0)) return counted;
    // A runner that failed without a failing test (a crash, an open handle) is a failure too.
    const runner = { name: area.name, said: `The test runner ended with ${code}, and no test had failed.` };
    return [...counted, { file: area.name, passed: 0, failed: [runner], skipped: 0 }];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const counter = fileURLToPath(new URL('./test-counter.ts', import.meta.url));
const testProcess = new URL('./test-process.ts', import.meta.url).href;

function report(results: readonly AreaResult[]): void {
  const rows = results.map((r) => [
    r.name,
    String(r.passed),
    String(r.failed),
    String(r.skipped),
    `${r.seconds.toFixed(1)} s`,
  ]);
  const told = (tests: readonly FailedTest[]) =>
    tests.map((test) => `  ✖ ${test.name}\n${test.said.replace(/^/gm, '      ')}`).join('\n');
  for (const { name, failures, passedTheSecondTime } of results) {
    if (failures.length > 0) print(`\nFailed in ${name}:\n${told(failures)}`);
    if (passedTheSecondTime.length > 0)
      print(`\nFailed in ${name}, and passed when run once more:\n${told(passedTheSecondTime)}`);
  }
  const total = (field: 'passed' | 'failed' | 'skipped') =>
    results.reduce((sum, result) => sum + result[field], 0);
  print(`\n${table(['AREA', 'PASSED', 'FAILED', 'SKIPPED', 'TIME'], rows)}\n`);
  const skipped = total('skipped') > 0 ? `, ${total('skipped')} skipped` : '';
  print(`${total('passed')} passed, ${total('failed')} failed${skipped}`);
  if (total('failed') > 0) process.exitCode = exitCodes.error;
}

/** Installs what is missing with the system's package manager when this is root on Debian; else says what to install. */
async function installNeeds(areas: readonly TestArea[]): Promise<void> {
  const missing: TestNeed[] = [];
  for (const need of new Set(areas.flatMap((area) => area.needs))) {
    const there = await run('test', ['-x', testNeeds[need].program]).then(
      () => true,
      () => false,
    );
    if (!there) missing.push(need);
  }
  if (missing.length === 0) return;
  const packages = missing.flatMap((need) => testNeeds[need].packages);
  if (process.getuid?.() !== 0)
    throw new CommandError(`The tests need ${missing.join(' and ')}: sudo apt install ${packages.join(' ')}`);
  say(`Installing ${packages.join(', ')} …`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env: environment, maxBuffer: 2 ** 26 });
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    env: environment,
    maxBuffer: 2 ** 26,
  });
}

function passThrough(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

async function capture(command: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  try {
    const { stdout, stderr } = await run(command, [...args], { cwd: root, maxBuffer: 2 ** 26 });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const failure = error as { code?: number; stdout?: string; stderr?: string };
    return { code: failure.code ?? 1, output: `${failure.stdout ?? ''}${failure.stderr ?? ''}` };
  }
}
