import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { EnvironmentOutcome, EnvironmentReady } from './client.ts';
import { findBreaks, type KnownBreak, knownBreaks } from './known-breaks.ts';
import { runPython, startTestEnvironments, testCaller, testFolder } from './testing.ts';

let directory: string;
before(async () => {
  directory = await testFolder();
});
after(() => rm(directory, { recursive: true, force: true }));

interface Published {
  readonly requirements: string;
  readonly publishedOn?: string;
  readonly knownBreaks?: readonly KnownBreak[];
}

async function prepare({ knownBreaks: breaks, ...published }: Published) {
  const caller = testCaller();
  const started = await startTestEnvironments({
    directory,
    ...(breaks === undefined ? {} : { knownBreaks: breaks }),
  });
  const outcome = await started.environments.prepare({ python: 'default', ...published }, caller);
  await started.stop();
  return { outcome, log: caller.lines.join('\n') };
}

function ready(outcome: EnvironmentOutcome): EnvironmentReady {
  assert.equal(outcome.type, 'ready', JSON.stringify(outcome));
  return outcome as EnvironmentReady;
}

async function python(outcome: EnvironmentOutcome, script: string): Promise<string> {
  const used = await runPython(script, [], { python: path.join(ready(outcome).path, 'bin/python') });
  assert.equal(used.code, 0, used.output);
  return used.output.trim();
}

const versionOf = (outcome: EnvironmentOutcome, name: string): Promise<string> =>
  python(outcome, `import importlib.metadata as m; print(m.version("${name}"))`);

/** Something that a new version broke, as somebody would add it to the data. */
const iniconfigBreak = (constrain: string): KnownBreak => ({
  name: 'iniconfig 2',
  when: { iniconfig: '>=2' },
  constrain: [constrain],
  because: 'iniconfig 2 forgot what iniconfig 1 knew.',
});

test('an app with an old h2o-wave and nothing else pinned works, and its log says what was constrained and why', async () => {
  const { outcome, log } = await prepare({ requirements: 'h2o-wave==0.26.3\n' });
  assert.match(
    log,
    /Constrained to starlette<1: h2o-wave before 1\.8\.9 .* starlette 1 removed \(on_startup\)/,
  );
  const script = [
    'from h2o_wave import Q, app, main, ui',
    'import starlette, importlib.metadata as m',
    '@app("/")',
    'async def serve(q: Q): pass',
    'from h2o_wave.server import main as server',
    'print(starlette.__version__, m.version("h2o-wave"))',
  ].join('\n');
  const [starlette, wave] = (await python(outcome, script)).split(' ');
  assert.match(starlette ?? '', /^0\./);
  assert.equal(wave, '0.26.3');

  const again = await prepare({ requirements: 'h2o-wave==0.26.3\n' });
  assert.equal(ready(again.outcome).hash, ready(outcome).hash, 'a restart is the same environment');
  assert.equal(ready(again.outcome).cached, true);
  assert.match(again.log, /Constrained to starlette<1/, 'the log of every start says it');
});

test('what works as it was published is left alone', async () => {
  const { outcome, log } = await prepare({ requirements: 'iniconfig', publishedOn: '2021-01-01' });
  assert.notEqual(await versionOf(outcome, 'iniconfig'), '1.1.1', 'the date is not used without need');
  assert.doesNotMatch(log, /Constrained|published/);
});

test('a new kind of break is repaired by data alone', async () => {
  const { outcome, log } = await prepare({
    requirements: 'iniconfig',
    knownBreaks: [...knownBreaks, iniconfigBreak('iniconfig<2')],
  });
  assert.equal(await versionOf(outcome, 'iniconfig'), '1.1.1');
  assert.match(log, /Constrained to iniconfig<2: iniconfig 2 forgot what iniconfig 1 knew\./);
});

test('what constraints cannot repair gets the packages of the day it was published', async () => {
  const impossible = [iniconfigBreak('iniconfig<0')];
  const { outcome, log } = await prepare({
    requirements: 'iniconfig',
    publishedOn: '2021-01-01',
    knownBreaks: impossible,
  });
  assert.equal(await versionOf(outcome, 'iniconfig'), '1.1.1');
  assert.match(log, /iniconfig<0 cannot be had\. Trying .*nothing newer than 2021-01-02/);
  assert.match(log, /Packages published after 2021-01-02 were left out/);
});

test('an app that was packed again yesterday gets the packages of the day of its newest pin', async () => {
  const yesterday = new Date(Date.now() - 24 * 3600_000).toISOString().slice(0, 10);
  const impossible = [iniconfigBreak('iniconfig<0')];
  const published = {
    // Pinned in October 2020.
    requirements: 'iniconfig\ntoml==0.10.2\n',
    publishedOn: yesterday,
    knownBreaks: impossible,
  };
  const { outcome, log } = await prepare(published);
  assert.equal(await versionOf(outcome, 'iniconfig'), '1.1.1');
  assert.match(log, /nothing newer than 2020-11-02 \(by the newest release among its pinned packages\)/);
});

test('the next start goes straight to what helped, and its log says why', async () => {
  const published = {
    requirements: 'iniconfig',
    publishedOn: '2021-01-01',
    knownBreaks: [iniconfigBreak('iniconfig<0')],
  };
  const first = await prepare(published);
  const { outcome, log } = await prepare(published);
  assert.equal(ready(outcome).hash, ready(first.outcome).hash);
  assert.match(
    log,
    /published after 2021-01-02 are left out, as at an earlier start: iniconfig<0 cannot be had/,
  );
  assert.doesNotMatch(log, /Trying|Resolving/);

  const better = await prepare({ ...published, knownBreaks: [iniconfigBreak('iniconfig<2')] });
  assert.match(
    better.log,
    /Constrained to iniconfig<2/,
    'newer data that knows more is not kept from helping',
  );
});

test('what cannot be repaired is installed as it was published', async () => {
  const impossible = [iniconfigBreak('iniconfig<2')];
  for (const publishedOn of ['1980-01-01', '2021-01-01', '2999-01-01']) {
    const { outcome } = await prepare({
      requirements: 'iniconfig==2.0.0',
      publishedOn,
      knownBreaks: impossible,
    });
    assert.equal(await versionOf(outcome, 'iniconfig'), '2.0.0');
  }
});

test('a name that the index does not have is no matter of age', async () => {
  const { outcome, log } = await prepare({
    requirements: 'haic-no-such-package-of-this-name',
    publishedOn: '2021-01-01',
  });
  assert.equal(outcome.type, 'failed');
  assert.doesNotMatch(log, /published/);
});

test('versions are compared as releases, all packages of a break have to be there', () => {
  const data: KnownBreak[] = [
    { name: 'x', when: { 'An.A': '<1.8.9', b: '>=1,!=1.5' }, constrain: ['b<1'], because: 'so' },
  ];
  const hits = (lock: string) => findBreaks(lock, data).length;
  assert.equal(hits('an-a==1.8.8\nb==1.0\n'), 1);
  assert.equal(hits('an_a==1.8.8.post1 \\\n    --hash=sha256:aa\nb==2.0rc1\n'), 1);
  assert.equal(hits('an-a==1.8.10\nb==1.0\n'), 0);
  assert.equal(hits('an-a==0.26\nb==1.5.0\n'), 0);
  assert.equal(hits('an-a==0.26\nb==0.99\n'), 0);
  assert.equal(hits('an-a==0.26\n'), 0);
  assert.equal(hits(''), 0);
});

test('a mistake in the data is told at the start', async () => {
  const wrong = [{ ...iniconfigBreak('iniconfig<2'), when: { iniconfig: 'two' } }];
  await assert.rejects(prepare({ requirements: 'iniconfig', knownBreaks: wrong }), /iniconfig 2.*"two"/);
});

test('every entry of the data says a sentence', () => {
  for (const { because } of knownBreaks) assert.match(because, /^[A-Za-z].*\.$/);
});
