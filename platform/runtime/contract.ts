import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type Bench,
  type ContractRuntime,
  createBench,
  idle,
  refusedWith,
  server,
  shell,
} from './contract-workloads.ts';
import type { PodTemplate, Workload, WorkloadEvent } from './port.ts';

export type { ContractRuntime } from './contract-workloads.ts';

const volume = (name: string, mountPath: string, claim?: string): PodTemplate['volumes'][number] => ({
  name,
  mountPath,
  source: claim === undefined ? { kind: 'ephemeral' } : { kind: 'persistent', claim },
});
const httpProbe = (periodSeconds: number, failureThreshold: number) => ({
  check: { kind: 'http', path: '/', port: 'web' } as const,
  periodSeconds,
  failureThreshold,
});

/** What every adapter of the runtime port does. `makeRuntime` gives one that runs nothing yet. */
export function runtimeContract(name: string, makeRuntime: () => Promise<ContractRuntime>): void {
  describe(`runtime: ${name}`, { concurrency: 4 }, () => {
    let made: ContractRuntime;
    let t: Bench;
    before(async () => {
      // Stands for the platform's own secrets: nothing of its environment may reach a process.
      process.env.HAIC_CONTRACT_SECRET = 'of the platform';
      made = await makeRuntime();
      t = createBench(made);
    });
    after(async () => {
      delete process.env.HAIC_CONTRACT_SECRET;
      await made.stop();
    });
    const remove = (workload: string, volumes: 'keep' | 'delete' = 'delete') =>
      t.runtime.remove(workload, { volumes, signal: t.signal });

    describe('what runs', () => {
      it('runs a command until it is removed, and tells where its ports are', async () => {
        const spec = t.spec(
          {
            command: shell(server('PORT', '/nowhere')),
            env: [{ name: 'PORT', portName: 'web' }],
            ports: [{ name: 'web' }],
            readinessProbe: httpProbe(0.1, 3),
          },
          { labels: { app: 'one' }, annotations: { note: 'Grüße\n' } },
        );
        const applied = await t.apply(spec);
        assert.deepEqual(
          [applied.name, applied.labels, applied.annotations],
          [spec.name, spec.labels, spec.annotations],
        );
        const ready = await t.until(spec.name, 'Ready');
        const endpoint = ready.status.endpoints.web;
        assert.ok(endpoint);
        assert.equal((await fetch(`http://${endpoint.host}:${endpoint.port}/`)).status, 200);
        assert.equal(ready.status.restartCount, 0);
        assert.ok(ready.status.startedAt);
        await remove(spec.name);
        assert.equal(await t.runtime.get(spec.name), undefined);
        await assert.rejects(fetch(`http://${endpoint.host}:${endpoint.port}/`));
      });

      it('gives the process its variables, secrets and files, and nothing of the platform’s environment', async () => {
        const spec = t.spec({
          command: shell('env; cat "$HAIC_ROOT/var/run/haic/config.json"; echo; echo done; sleep 60'),
          env: [
            { name: 'PLAIN', value: 'it\'s $HOME `id` "x" \\n' },
            { name: 'TOKEN', secretKey: 'token' },
            { name: 'PORT', portName: 'web' },
          ],
          secret: { token: 's3cret', 'config.json': '{"a":1}' },
          ports: [{ name: 'web' }],
          volumes: [
            { name: 'config', mountPath: '/var/run/haic', source: { kind: 'secret', keys: ['config.json'] } },
          ],
          terminationGracePeriodSeconds: 0,
        });
        await t.apply(spec);
        await t.line(spec.name, /^done$/);
        const lines = await t.lines(spec.name);
        const port = (await t.runtime.get(spec.name))?.status.endpoints.web?.port;
        for (const expected of ['PLAIN=it\'s $HOME `id` "x" \\n', 'TOKEN=s3cret', `PORT=${port}`, '{"a":1}'])
          assert.ok(lines.includes(expected), `${expected} in ${lines.join('|')}`);
        assert.doesNotMatch(lines.join('\n'), /of the platform|HAIC_CONTRACT_SECRET|NODE_/);
        assert.doesNotMatch(
          JSON.stringify([await t.runtime.get(spec.name), await t.runtime.list({})]),
          /s3cret|"a\\*":1/,
        );
      });

      it('never restarts for labels, annotations or the same template again', async () => {
        const spec = t.spec(
          { command: shell(`echo started; ${idle}`) },
          { labels: { a: '1', b: '1' }, annotations: { x: '1' } },
        );
        await t.apply(spec);
        const first = await t.until(spec.name, 'Ready');
        await t.line(spec.name, /started/);
        const patched = await t.runtime.patch(
          spec.name,
          { labels: { a: '2', b: undefined }, annotations: { y: '3' } },
          { signal: t.signal },
        );
        assert.deepEqual([patched.labels, patched.annotations], [{ a: '2' }, { x: '1', y: '3' }]);
        const { image, command, ...rest } = spec.template;
        await t.apply({ ...spec, labels: { c: '1' }, template: { ...rest, command, image } });
        const last = await t.until(spec.name, (workload) => workload.labels.c === '1');
        assert.deepEqual([last.status.startedAt, last.createdAt], [first.status.startedAt, first.createdAt]);
        assert.deepEqual(await t.lines(spec.name), ['started']);
      });

      it('replaces the process when the template changes, also when only its secret does', async () => {
        const template = { command: shell(`echo "value $V"; ${idle}`), env: [{ name: 'V', secretKey: 'v' }] };
        const spec = t.spec({ ...template, secret: { v: 'one' } });
        await t.apply(spec);
        await t.line(spec.name, /value one/);
        await t.apply({ ...spec, template: { ...spec.template, secret: { v: 'two' } } });
        await t.line(spec.name, /value two/);
        const workload = await t.until(spec.name, 'Ready');
        assert.deepEqual([workload.status.restartCount, workload.status.lastTermination], [0, undefined]);
      });

      it('suspends: nothing runs, what is persistent stays, what is ephemeral goes', async () => {
        const spec = t.spec({
          command: shell(
            `ls "$HAIC_ROOT/app" "$HAIC_ROOT/resources"; touch "$HAIC_ROOT/app/kept" "$HAIC_ROOT/resources/lost"; echo done; ${idle}`,
          ),
          volumes: [volume('data', '/app', 'suspended-data'), volume('scratch', '/resources')],
        });
        await t.apply(spec);
        await t.line(spec.name, /^done$/);
        await t.runtime.patch(spec.name, { replicas: 0 }, { signal: t.signal });
        const suspended = await t.until(spec.name, 'Suspended');
        assert.deepEqual(
          [suspended.status.endpoints, suspended.status.startedAt, suspended.replicas],
          [{}, undefined, 0],
        );
        await t.runtime.patch(spec.name, { replicas: 1 }, { signal: t.signal });
        await t.until(spec.name, 'Ready');
        await t.line(spec.name, /^kept$/);
        await t.line(spec.name, /^done$/);
        assert.ok(!(await t.lines(spec.name)).includes('lost'));
      });
    });

    describe('what ends', () => {
      it('starts again what ends, waits longer each time, and says why', async () => {
        const spec = t.spec({
          command: shell('echo "run with $(ls "$HAIC_ROOT/app")"; touch "$HAIC_ROOT/app/mark"; exit 3'),
          volumes: [volume('scratch', '/app')],
        });
        await t.apply(spec);
        const { status } = await t.until(
          spec.name,
          ({ status }) => status.phase === 'BackOff' && status.restartCount === 1,
        );
        assert.equal(status.reason, 'CrashLoopBackOff');
        assert.match(status.message, /exit code 3/);
        assert.deepEqual([status.lastTermination?.exitCode, status.lastTermination?.reason], [3, 'Error']);
        assert.deepEqual(status.endpoints, {});
        assert.deepEqual(
          await t.lines(spec.name),
          ['run with mark'],
          'an ephemeral volume survives a restart',
        );
      });

      it('keeps the log of the process before', async () => {
        const spec = t.spec({
          command: shell(
            `if [ -e "$HAIC_ROOT/app/mark" ]; then echo second; ${idle}; fi; touch "$HAIC_ROOT/app/mark"; echo first; exit 3`,
          ),
          volumes: [volume('scratch', '/app')],
        });
        await t.apply(spec);
        await t.line(spec.name, /second/);
        await t.until(spec.name, ({ status }) => status.phase === 'Ready' && status.restartCount === 1);
        assert.deepEqual(await t.lines(spec.name), ['second']);
        assert.deepEqual(await t.lines(spec.name, { previous: true }), ['first']);
      });

      it('lets end what is not to be restarted', async () => {
        const ends = async (restartPolicy: PodTemplate['restartPolicy'], code: number) => {
          const spec = t.spec({ command: shell(`exit ${code}`), restartPolicy });
          await t.apply(spec);
          const { status } = await t.until(spec.name, ({ status }) =>
            /Succeeded|Failed|BackOff/.test(status.phase),
          );
          await remove(spec.name);
          return [status.phase, status.lastTermination?.exitCode, status.lastTermination?.reason];
        };
        assert.deepEqual(await ends('Never', 0), ['Succeeded', 0, 'Completed']);
        assert.deepEqual(await ends('Never', 7), ['Failed', 7, 'Error']);
        assert.deepEqual(await ends('OnFailure', 0), ['Succeeded', 0, 'Completed']);
        assert.deepEqual(await ends('OnFailure', 7), ['BackOff', 7, 'Error']);
      });

      it('tells a command that could not be run from one that failed', async () => {
        const spec = t.spec({ command: ['/no/such/program'], restartPolicy: 'Never' });
        await t.apply(spec);
        const { status } = await t.until(spec.name, 'Failed');
        assert.equal(status.lastTermination?.reason, 'StartError');
        assert.match(status.lastTermination?.message ?? '', /no\/such\/program/);
      });

      it('names the signal that ended a process', async () => {
        const spec = t.spec({ command: shell('kill -SEGV $$'), restartPolicy: 'Never' });
        await t.apply(spec);
        const { status } = await t.until(spec.name, 'Failed');
        assert.deepEqual(
          [status.lastTermination?.signal, status.lastTermination?.reason],
          ['SIGSEGV', 'Error'],
        );
      });

      it('asks with SIGTERM and gives time', async () => {
        const spec = t.spec({
          command: shell(
            'trap "sleep 0.3; echo goodbye; exit 0" TERM; echo up; while :; do sleep 0.05; done',
          ),
        });
        await t.apply(spec);
        await t.line(spec.name, /^up$/);
        const lines = t.line(spec.name, /^goodbye$/);
        await t.runtime.patch(spec.name, { replicas: 0 }, { signal: t.signal });
        await lines;
        assert.equal((await t.until(spec.name, 'Suspended')).status.reason, '');
      });

      it('kills what ignores SIGTERM after the grace period, with everything it started', async () => {
        const spec = t.spec({
          command: shell(`trap "" TERM; setsid sh -c 'trap "" TERM; setsid /usr/bin/python3 -c "
import os, signal, socket, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
s = socket.socket(); s.bind((\\"\\", int(os.environ[\\"PORT\\"]))); s.listen()
print(\\"grandchild up\\", flush=True)
time.sleep(1000)" & sleep 1000' & sleep 1000`),
          env: [{ name: 'PORT', portName: 'web' }],
          ports: [{ name: 'web' }],
          terminationGracePeriodSeconds: 0.2,
        });
        await t.apply(spec);
        await t.line(spec.name, /grandchild up/);
        const endpoint = (await t.runtime.get(spec.name))?.status.endpoints.web;
        await remove(spec.name);
        await assert.rejects(
          fetch(`http://${endpoint?.host}:${endpoint?.port}/`),
          'the grandchild still listens',
        );
      });

      it('removes what is not there, keeps volumes when asked to, and deletes them when asked to', async () => {
        await remove('never-was');
        const template = {
          command: shell(`ls "$HAIC_ROOT/app"; touch "$HAIC_ROOT/app/file"; echo done; ${idle}`),
          volumes: [volume('data', '/app', 'removed-data')],
        };
        for (const [what, expected] of [
          ['keep', ['done']],
          ['delete', ['file', 'done']],
          ['delete', ['done']],
        ] as const) {
          const spec = t.spec(template);
          await t.apply(spec);
          await t.line(spec.name, /^done$/);
          assert.deepEqual(await t.lines(spec.name), expected);
          await remove(spec.name, what);
        }
      });
    });

    describe('probes', () => {
      const probed = (template: Partial<PodTemplate>) =>
        t.spec({
          command: shell(`sleep 0.3; ${server('PORT', '/nowhere')}`),
          env: [{ name: 'PORT', portName: 'web' }],
          ports: [{ name: 'web' }],
          ...template,
        });

      it('is Starting until the startup probe passes, then Ready when the readiness probe does', async () => {
        const spec = probed({ startupProbe: httpProbe(0.1, 100), readinessProbe: httpProbe(0.1, 3) });
        const phases: string[] = [];
        const over = new AbortController();
        const watching = (async () => {
          for await (const event of t.runtime.watch({}, { signal: over.signal }))
            if (
              event.type === 'SET' &&
              event.workload.name === spec.name &&
              phases.at(-1) !== event.workload.status.phase
            )
              phases.push(event.workload.status.phase);
        })();
        await t.apply(spec);
        await t.until(spec.name, 'Ready');
        over.abort();
        await watching;
        assert.ok(phases.indexOf('Starting') >= 0, phases.join());
        assert.equal(phases.filter((phase) => phase === 'BackOff').length, 0);
      });

      it('ends what never passes its startup probe', async () => {
        const spec = probed({
          command: shell(idle),
          startupProbe: { check: { kind: 'tcp', port: 'web' }, periodSeconds: 0.1, failureThreshold: 3 },
        });
        await t.apply(spec);
        const { status } = await t.until(spec.name, 'BackOff');
        assert.equal(status.lastTermination?.reason, 'ProbeFailed');
        assert.match(status.lastTermination?.message ?? '', /startup probe/i);
      });

      it('is not Ready while the readiness probe fails, and says what the probe saw', async () => {
        const spec = probed({ command: shell(idle), readinessProbe: httpProbe(0.1, 2) });
        await t.apply(spec);
        const { status } = await t.until(spec.name, ({ status }) => status.reason === 'ProbeFailing');
        assert.equal(status.phase, 'Running');
        assert.match(status.message, /ECONNREFUSED/);
      });

      it('ends what fails its liveness probe, and starts it again', async () => {
        const spec = probed({ command: shell(idle), livenessProbe: httpProbe(0.1, 3) });
        await t.apply(spec);
        const { status } = await t.until(
          spec.name,
          ({ status }) => status.restartCount > 0 || status.phase === 'BackOff',
        );
        assert.equal(status.lastTermination?.reason, 'ProbeFailed');
        await t.until(spec.name, ({ status }) => status.restartCount > 0);
      });
    });

    describe('logs', () => {
      it('gives lines of stdout and stderr in order, the last ones when asked', async () => {
        const spec = t.spec({
          command: shell(
            'for i in 1 2 3; do echo "out $i"; sleep 0.05; echo "err $i" >&2; sleep 0.05; done; printf unfinished',
          ),
          restartPolicy: 'Never',
        });
        await t.apply(spec);
        await t.until(spec.name, 'Succeeded');
        assert.deepEqual(await t.lines(spec.name), [
          'out 1',
          'err 1',
          'out 2',
          'err 2',
          'out 3',
          'err 3',
          'unfinished',
        ]);
        assert.deepEqual(await t.lines(spec.name, { tailLines: 2 }), ['err 3', 'unfinished']);
        assert.deepEqual(await t.lines(spec.name, { tailLines: 0 }), []);
        assert.equal((await t.lines(spec.name, { tailLines: 1000 })).length, 7);
        assert.deepEqual(await t.lines(spec.name, { previous: true }), []);
      });

      it('follows across restarts, until the workload is removed', async () => {
        const spec = t.spec({
          command: shell(
            'echo "run $(ls "$HAIC_ROOT/app" | wc -l)"; touch "$HAIC_ROOT/app/$$-$(date +%N)"; exit 1',
          ),
          volumes: [volume('scratch', '/app')],
        });
        await t.apply(spec);
        const lines: string[] = [];
        let removed: Promise<void> | undefined;
        for await (const line of t.runtime.logs(spec.name, { follow: true, signal: t.signal })) {
          lines.push(line);
          if (lines.length >= 2) removed ??= remove(spec.name);
        }
        await removed;
        assert.deepEqual(lines.slice(0, 2), ['run 0', 'run 1']);
      });

      it('ends when the signal aborts, and knows no logs of nobody', async () => {
        const spec = t.spec({ command: shell(`echo up; ${idle}`) });
        await t.apply(spec);
        const over = new AbortController();
        for await (const line of t.runtime.logs(spec.name, { follow: true, signal: over.signal })) {
          assert.equal(line, 'up');
          over.abort();
        }
        await assert.rejects(t.lines('nobody'), refusedWith('not_found', 404));
      });
    });

    describe('watch', () => {
      it('begins with everything that matches, then tells of each change, and of the end', async () => {
        const labels = { watched: 'yes' };
        const [one, two, other] = [t.spec({}, { labels }), t.spec({}, { labels }), t.spec()];
        await t.apply(one);
        await t.apply(other);
        const over = new AbortController();
        const events: WorkloadEvent[] = [];
        const seen = (type: string, name: string) =>
          events.some(
            (event) =>
              event.type === type &&
              (event.type === 'SET' ? event.workload.name : event.type === 'REMOVED' ? event.name : '') ===
                name,
          );
        const isReady = (name: string) =>
          events.some(
            (event) =>
              event.type === 'SET' && event.workload.name === name && event.workload.status.phase === 'Ready',
          );
        // Each is asked for once, and waited for in the end: the next event may come before the answer.
        const changes: Promise<unknown>[] = [];
        const steps = [
          { after: () => events.length > 0, ask: () => t.apply(two) },
          {
            after: () => seen('SET', two.name),
            ask: () => t.runtime.patch(one.name, { labels: { watched: 'no' } }, { signal: t.signal }),
          },
          { after: () => seen('REMOVED', one.name) && isReady(two.name), ask: () => remove(two.name) },
        ];
        for await (const event of t.runtime.watch(labels, { signal: over.signal })) {
          events.push(event);
          if (event.type === 'SYNC')
            assert.deepEqual(
              event.workloads.map((workload) => workload.name),
              [one.name],
            );
          while (steps[0]?.after() === true) changes.push(steps.shift()?.ask() ?? Promise.resolve());
          if (seen('REMOVED', one.name) && seen('REMOVED', two.name)) over.abort();
        }
        await Promise.all(changes);
        assert.equal(events[0]?.type, 'SYNC');
        assert.ok(!seen('SET', other.name), 'what does not match is not told');
        assert.deepEqual(
          (await t.runtime.list({ watched: 'no' })).map((workload) => workload.name),
          [one.name],
        );
      });

      it('has told who does not wait all that is shown, by the next turn of the event loop', async () => {
        const labels = { followed: 'closely' };
        const told = new Map<string, Workload>();
        const over = new AbortController();
        const following = (async () => {
          for await (const event of t.runtime.watch(labels, { signal: over.signal }))
            if (event.type === 'SET') told.set(event.workload.name, event.workload);
            else if (event.type === 'REMOVED') told.delete(event.name);
        })();
        const compared = async (): Promise<Workload | undefined> => {
          await new Promise(setImmediate);
          const [shown, known] = [t.runtime.list(labels), [...told.values()]];
          assert.deepEqual(known, await shown);
          return known[0];
        };
        assert.equal(await compared(), undefined);
        const spec = t.spec({}, { labels });
        await t.apply(spec);
        assert.equal((await compared())?.name, spec.name);
        while ((await compared())?.status.phase !== 'Ready') t.signal.throwIfAborted();
        await t.runtime.patch(spec.name, { annotations: { note: 'new' } }, { signal: t.signal });
        assert.equal((await compared())?.annotations.note, 'new');
        await remove(spec.name);
        assert.equal(await compared(), undefined);
        over.abort();
        await following;
      });
    });

    describe('what is refused', () => {
      const bad: readonly (readonly [string, (spec: ReturnType<Bench['spec']>) => unknown])[] = [
        ['a name that is a path', (spec) => ({ ...spec, name: '../etc' })],
        ['an empty name', (spec) => ({ ...spec, name: '' })],
        ['a name of 64 characters', (spec) => ({ ...spec, name: 'x'.repeat(64) })],
        ['a label with a slash in its value', (spec) => ({ ...spec, labels: { a: 'b/c' } })],
        ['an unknown image', (spec) => ({ ...spec, template: { ...spec.template, image: '__proto__' } })],
        ['no command', (spec) => ({ ...spec, template: { ...spec.template, command: [] } })],
        ['a NUL in the command', (spec) => ({ ...spec, template: { ...spec.template, command: ['a\0b'] } })],
        [
          'a variable named A=B',
          (spec) => ({ ...spec, template: { ...spec.template, env: [{ name: 'A=B', value: '' }] } }),
        ],
        [
          'a variable of a key that is not there',
          (spec) => ({
            ...spec,
            template: { ...spec.template, env: [{ name: 'A', secretKey: 'toString' }] },
          }),
        ],
        [
          'a variable of a port that is not there',
          (spec) => ({ ...spec, template: { ...spec.template, env: [{ name: 'A', portName: 'x' }] } }),
        ],
        [
          'a claim that is a path',
          (spec) => ({ ...spec, template: { ...spec.template, volumes: [volume('v', '/app', '../x')] } }),
        ],
        [
          'a mount path with dots',
          (spec) => ({ ...spec, template: { ...spec.template, volumes: [volume('v', '/app/../etc')] } }),
        ],
        [
          'a mount over the system',
          (spec) => ({ ...spec, template: { ...spec.template, volumes: [volume('v', '/usr')] } }),
        ],
        [
          'a secret key that is a path',
          (spec) => ({ ...spec, template: { ...spec.template, secret: { '../x': '' } } }),
        ],
        [
          'port 70000',
          (spec) => ({ ...spec, template: { ...spec.template, ports: [{ name: 'web', port: 70_000 }] } }),
        ],
        [
          'a negative memory limit',
          (spec) => ({ ...spec, template: { ...spec.template, resources: { memoryLimit: -1 } } }),
        ],
        ['half a GPU', (spec) => ({ ...spec, template: { ...spec.template, resources: { gpus: 0.5 } } })],
        [
          'a label of a node with a newline',
          (spec) => ({ ...spec, template: { ...spec.template, nodeSelector: { disk: 'a\nb' } } }),
        ],
        [
          'a taint that is none',
          (spec) => ({ ...spec, template: { ...spec.template, tolerations: [{ key: '../x' }] } }),
        ],
        [
          'a probe of another host',
          (spec) => ({
            ...spec,
            template: {
              ...spec.template,
              ports: [{ name: 'web' }],
              readinessProbe: { check: { kind: 'http', path: 'http://x/', port: 'web' } },
            },
          }),
        ],
      ];
      for (const [what, change] of bad) {
        it(`refuses ${what}`, async () => {
          // Callers are typed; what they pass on came from outside.
          const spec = change(t.spec()) as ReturnType<Bench['spec']>;
          await assert.rejects(t.apply(spec), refusedWith('invalid_workload', 400));
        });
      }

      it('refuses a claim that another workload has', async () => {
        const template = { volumes: [volume('v', '/app', 'contested')] };
        const spec = t.spec(template);
        await t.apply(spec);
        await assert.rejects(t.apply(t.spec(template)), refusedWith('workload_conflict', 409));
        await remove(spec.name);
        await t.apply(t.spec(template));
      });

      it('knows nothing of what is not there', async () => {
        await assert.rejects(
          t.runtime.patch('nobody', {}, { signal: t.signal }),
          refusedWith('not_found', 404),
        );
        assert.equal(await t.runtime.get('nobody'), undefined);
      });
    });

    it('says plainly what separates workloads and what is missing', () => {
      const { kind, isolation, missing } = made.runtime.capabilities();
      assert.ok(kind.length > 0);
      for (const text of [...isolation, ...missing.flatMap(({ what, remedy }) => [what, remedy])])
        assert.match(text, /^[A-Z].+[.)\w]$/s);
    });
  });
}
