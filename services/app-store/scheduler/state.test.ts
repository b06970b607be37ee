import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Termination, WorkloadPhase, WorkloadStatus } from '@haic/platform/runtime/port.ts';
import type { InstanceStatus } from './client.ts';
import { parseReport } from './launcher-report.ts';
import { createStartHistory, stagesOf } from './stages.ts';
import { stateOf } from './state.ts';

const since = '2026-01-01T10:00:00.000Z';
const status = (phase: WorkloadPhase, changes: Partial<WorkloadStatus> = {}): WorkloadStatus => ({
  phase,
  reason: '',
  message: '',
  since,
  startedAt: undefined,
  restartCount: 0,
  lastTermination: undefined,
  endpoints: {},
  usage: {},
  ...changes,
});
const ended = (changes: Partial<Termination>): Termination => ({
  exitCode: 1,
  signal: undefined,
  reason: 'Error',
  message: '',
  finishedAt: since,
  ...changes,
});
const facts = (workload: WorkloadStatus, more: { report?: unknown; wasReady?: boolean } = {}) => ({
  workload,
  memoryLimit: 2 * 1024 ** 3,
  report: parseReport(more.report),
  wasReady: more.wasReady ?? false,
});

test('every phase of a workload has one status for people', () => {
  const table: Record<WorkloadPhase, InstanceStatus> = {
    Pending: 'PENDING',
    Starting: 'STARTING',
    Running: 'STARTING',
    Ready: 'DEPLOYED',
    BackOff: 'FAILED',
    Failed: 'FAILED',
    Succeeded: 'FAILED',
    Suspended: 'SUSPENDED',
    Terminating: 'TERMINATING',
  };
  for (const [phase, expected] of Object.entries(table))
    assert.equal(stateOf(facts(status(phase as WorkloadPhase))).status, expected, phase);
});

test('a crash loop is FAILED, says once how the app ended and when it is tried again', () => {
  const workload = status('BackOff', {
    reason: 'CrashLoopBackOff',
    message: 'It ended with exit code 3. It is started again after 20 s.',
    restartCount: 3,
    lastTermination: ended({ exitCode: 3, message: 'It ended with exit code 3.' }),
  });
  const state = stateOf(facts(workload));
  assert.deepEqual([state.status, state.reason], ['FAILED', 'CrashLoopBackOff']);
  assert.equal(state.message, 'The app ended with exit code 3. It is started again after 20 s.');
});

test('a start that is put off for another reason is not explained by an older crash', () => {
  const workload = status('BackOff', {
    reason: 'PortTaken',
    message: 'Port 8501 is in use by another program. It is started again after 4 s.',
    lastTermination: ended({ reason: 'OOMKilled', message: 'It used more memory than its limit.' }),
  });
  const { reason, message } = stateOf(facts(workload));
  assert.deepEqual([reason, message], ['PortTaken', workload.message]);
});

test('what the launcher says of a failure goes before an exit code, also in the start that follows', () => {
  const failure = { message: 'The app imports "pandas", which is not installed.', lines: [] };
  const crashed = { restartCount: 1, lastTermination: ended({}) };
  const during = stateOf(facts(status('Running'), { report: { phase: 'failed', failure } }));
  assert.deepEqual([during.status, during.message], ['FAILED', failure.message]);
  assert.match(
    stateOf(facts(status('BackOff', crashed), { report: { failure } })).message,
    /^The app imports "pandas"/,
  );
  const next = stateOf(facts(status('Running', crashed), { report: { previousFailure: failure } }));
  assert.match(next.message, /This is start 2, because of this: The app imports "pandas"/);
  const starved = status('BackOff', { ...crashed, lastTermination: ended({ reason: 'OOMKilled' }) });
  assert.match(stateOf(facts(starved, { report: { failure } })).message, /^The app used more memory/);
});

test('an app that used too much memory is told its limit and the remedy', () => {
  const workload = status('BackOff', {
    reason: 'CrashLoopBackOff',
    restartCount: 1,
    lastTermination: ended({ reason: 'OOMKilled', exitCode: undefined, signal: 'SIGKILL' }),
  });
  const state = stateOf(facts(workload));
  assert.equal(state.reason, 'OOMKilled');
  assert.match(state.message, /limit of 2 GiB .*MemoryLimit/);
});

test('an instance that failed for good says that it is not started again', () => {
  const state = stateOf(
    facts(status('Failed', { lastTermination: ended({ reason: 'StartError', message: 'no such file' }) })),
  );
  assert.equal(state.status, 'FAILED');
  assert.match(state.message, /could not be started at all: no such file\. It is not started again\./);
});

test('while it starts the launcher tells how far it is', () => {
  const state = stateOf(facts(status('Running'), { report: { message: 'Installing pandas' } }));
  assert.deepEqual([state.status, state.message], ['STARTING', 'Installing pandas']);
});

test('a start after a crash says which start it is and why', () => {
  const workload = status('Running', { restartCount: 2, lastTermination: ended({ exitCode: 9 }) });
  const { reason, message } = stateOf(facts(workload));
  assert.equal(reason, 'Restarting');
  assert.match(message, /start 3, because of this: The app ended with exit code 9\./);
});

test('an instance that was ready and is not any more is STARTING with a reason', () => {
  const state = stateOf(facts(status('Running', { message: 'Readiness probe failed.' }), { wasReady: true }));
  assert.deepEqual([state.status, state.reason], ['STARTING', 'NotReady']);
  assert.match(state.message, /was ready and stopped answering\. Readiness probe failed\./);
});

test('a port that is taken keeps the runtime’s own reason and words', () => {
  const workload = status('Running', {
    reason: 'PortTaken',
    message: 'Port 8501 is in use by another program.',
  });
  assert.deepEqual(stateOf(facts(workload)), {
    status: 'STARTING',
    reason: 'PortTaken',
    message: workload.message,
    since,
  });
});

const stages = (workload: WorkloadStatus, report?: unknown) =>
  Object.fromEntries(
    stagesOf({
      createdAt: since,
      lookedAfterSince: since,
      workload,
      report: parseReport(report),
      usual: () => undefined,
    }).map((s) => [s.name, s.state]),
  );

test('stages follow the launcher, and are all done once the instance is ready', () => {
  const report = {
    stages: [
      { name: 'fetching', state: 'done', startedAt: since, finishedAt: since },
      { name: 'installing', state: 'running', startedAt: since },
      { name: 'starting', state: 'waiting' },
    ],
  };
  assert.deepEqual(stages(status('Pending')), {
    queued: 'running',
    fetching: 'waiting',
    installing: 'waiting',
    starting: 'waiting',
    ready: 'waiting',
  });
  assert.deepEqual(stages(status('Running', { startedAt: since }), report), {
    queued: 'done',
    fetching: 'done',
    installing: 'running',
    starting: 'waiting',
    ready: 'waiting',
  });
  assert.ok(
    Object.values(stages(status('Ready', { startedAt: since }), report)).every((state) => state === 'done'),
  );
});

test('after the platform was stopped and started, an instance has waited since then and not since it was made', () => {
  const queuedSince = (startedAt: string, workload: Partial<WorkloadStatus> = {}) =>
    stagesOf({
      createdAt: '2026-01-01T10:00:00.000Z',
      lookedAfterSince: '2026-01-05T08:00:00.000Z',
      workload: status('Running', { startedAt, ...workload }),
      report: undefined,
      usual: () => undefined,
    })[0]?.startedAt;
  assert.equal(queuedSince('2026-01-05T08:00:02.000Z'), '2026-01-05T08:00:00.000Z');
  assert.equal(queuedSince('2026-01-01T10:00:03.000Z'), '2026-01-01T10:00:00.000Z', 'it ran all the time');
});

test('the stage under way when the process ended is the one that failed', () => {
  const report = {
    stages: [
      { name: 'fetching', state: 'done' },
      { name: 'installing', state: 'running' },
    ],
  };
  const crashed = status('BackOff', { startedAt: since, restartCount: 1, lastTermination: ended({}) });
  assert.equal(stages(crashed, report).installing, 'failed');
  assert.equal(stages(crashed).starting, 'failed', 'without a word of the launcher it is the start itself');
});

test('what a stage usually takes is the median of its last starts', () => {
  const history = createStartHistory();
  const took = (seconds: number) => [
    {
      name: 'installing' as const,
      state: 'done' as const,
      startedAt: since,
      finishedAt: new Date(Date.parse(since) + seconds * 1000).toISOString(),
    },
  ];
  assert.equal(history.usual('a', 'installing'), undefined);
  for (const seconds of [2, 40, 3]) history.record('a', took(seconds));
  assert.equal(history.usual('a', 'installing'), 3);
  assert.equal(history.usual('an app never started before', 'installing'), 3);
  for (let i = 0; i < 20; i += 1) history.record('a', took(7));
  assert.equal(history.usual('a', 'installing'), 7, 'old starts are forgotten');
});

test('nonsense from the launcher’s port is no report, and what is one is cut to size', () => {
  for (const value of [null, 3, 'x', [], [{}]]) assert.equal(parseReport(value), undefined);
  const report = parseReport({
    phase: {},
    message: `\u001b[2J${'x'.repeat(10_000)}`,
    stages: [{ name: 'fetching', state: 'exploded' }, { name: 'hacked', state: 'done' }, 7],
    failure: { message: 4, lines: [1, ...Array<string>(100).fill('y'.repeat(5000))] },
  });
  assert.equal(report?.message.length, 500);
  assert.doesNotMatch(report?.message ?? '', /\p{Cc}/u);
  assert.deepEqual(report?.stages, []);
  assert.equal(report?.failure?.lines.length, 20);
});
