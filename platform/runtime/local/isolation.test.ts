import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Bench, createBench, idle, shell } from '../contract-workloads.ts';
import type { LocalRuntime } from './runtime.ts';
import { makeInstallation, withoutSandbox } from './testing.ts';

/** security.md 24: what an app may not do, tried by an app. */
describe('a sandboxed workload', { skip: withoutSandbox }, () => {
  let installation: Awaited<ReturnType<typeof makeInstallation>>;
  let runtime: LocalRuntime;
  let t: Bench;
  let home: string;
  before(async () => {
    const state = await makeInstallation();
    home = path.join(state.directory, 'home');
    await mkdir(path.join(home, 'assets'), { recursive: true });
    await writeFile(path.join(home, 'assets/tool'), 'tool', { mode: 0o666 });
    installation = await makeInstallation({
      isolation: 'required',
      images: {
        system: { mounts: [{ hostPath: path.join(home, 'assets'), path: '/opt/haic/assets' }], env: {} },
        fixed: {
          mounts: [{ hostPath: '/no/such/place', path: '/opt/none', optional: true }],
          env: {},
          uid: 62_999,
        },
      },
    });
    await rm(state.options.stateDirectory, { recursive: true, force: true });
    runtime = await installation.start();
    t = createBench({ runtime, image: 'system' });
  });
  after(async () => {
    await installation.destroy();
    await rm(path.dirname(home), { recursive: true });
  });

  /** Runs a script and gives what it printed before `end`. */
  const told = async (script: string, template: Parameters<Bench['spec']>[0] = {}) => {
    const spec = t.spec({
      command: shell(`{ ${script}\n} 2>&1; echo end; sleep 60`),
      terminationGracePeriodSeconds: 0,
      ...template,
    });
    await t.apply(spec);
    await t.line(spec.name, /^end$/);
    const lines = await t.lines(spec.name);
    await runtime.remove(spec.name, { volumes: 'delete', signal: t.signal });
    return lines.slice(0, lines.indexOf('end'));
  };

  it('cannot read the platform’s files, passwords, or another workload’s volume', async () => {
    const secrets = path.join(home, 'secrets');
    await mkdir(secrets);
    await writeFile(path.join(secrets, 'master-key'), 'KEY', { mode: 0o644 });
    const claim = { kind: 'persistent', claim: 'private-data' } as const;
    const other = t.spec({
      command: shell(`echo CONFIDENTIAL > /app/file; echo up; ${idle}`),
      volumes: [{ name: 'data', mountPath: '/app', source: claim }],
    });
    await t.apply(other);
    await t.line(other.name, /up/);
    const { stateDirectory, volumesDirectory } = installation.options;
    const paths = [
      secrets,
      `${secrets}/master-key`,
      ...[stateDirectory, volumesDirectory, `${volumesDirectory}/private-data/file`],
      ...[
        '/etc/shadow',
        '/etc/ssh',
        '/root',
        '/home',
        '/var/lib/postgresql',
        '/sys/fs/cgroup',
        '/run',
        '/boot',
      ],
    ];
    const lines = await told(
      `for p in ${paths.join(' ')}; do head -c 100 "$p" || ls "$p"; done; cat /proc/*/environ | tr "\\0" "\\n"`,
    );
    assert.doesNotMatch(lines.join('\n'), /KEY|CONFIDENTIAL|root:\$|root:\*/);
    for (const place of paths)
      assert.ok(
        lines.some((line) => line.includes(place) && /No such file|cannot/.test(line)),
        place,
      );
  });

  it('sees no process but its own, and no environment but its own', async () => {
    const other = t.spec({
      command: shell(`: ANOTHER-APP; echo up; ${idle}`),
      env: [{ name: 'S', secretKey: 's' }],
      secret: { s: 'ANOTHERS-SECRET' },
    });
    await t.apply(other);
    await t.line(other.name, /up/);
    const lines = await told(
      'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr "\\0" "\\n"; ls -d /proc/[0-9]* | wc -l',
    );
    assert.doesNotMatch(lines.join('\n'), /ANOTHER|shim\.sh|node/);
    assert.ok(Number(lines.at(-1)) < 10, lines.at(-1));
    // Nor does anyone on this machine see a secret in a command line.
    for (const pid of await readdir('/proc')) {
      if (/^\d+$/.test(pid) && pid !== String(process.pid))
        assert.doesNotMatch(
          await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
          /ANOTHERS-SECRET/,
        );
    }
  });

  it('is a user of its own without privileges, and stays one', async () => {
    const lines = await told(
      'id -u; id -G; grep -E "CapEff|CapBnd|NoNewPrivs" /proc/self/status; su -c id 2>&1 | head -1; cat /etc/passwd',
    );
    assert.ok(Number(lines[0]) >= 63_000, lines[0]);
    assert.equal(lines[1], lines[0]);
    assert.deepEqual(lines.slice(2, 5), [
      'CapEff:\t0000000000000000',
      'CapBnd:\t0000000000000000',
      'NoNewPrivs:\t1',
    ]);
    assert.deepEqual(
      lines.filter((line) => line.includes(':x:')),
      [`app:x:${lines[0]}:${lines[0]}:app:/tmp:/bin/sh`],
    );
    const [a, b] = [t.spec(), t.spec()];
    await Promise.all([t.apply(a), t.apply(b)]);
    const uid = async (name: string) =>
      JSON.parse(
        await readFile(
          path.join(installation.options.stateDirectory, 'workloads', name, 'workload.json'),
          'utf8',
        ),
      ).uid;
    assert.notEqual(await uid(a.name), await uid(b.name));
  });

  it('has the uid of its image where that is fixed', async () => {
    assert.deepEqual(await told('id -u; ls -d /opt/none 2> /dev/null', { image: 'fixed' }), ['62999']);
  });

  it('cannot write to the system or to what its image brings', async () => {
    const lines = await told(
      'for f in /x /usr/x /etc/passwd /opt/haic/assets/tool /bin/x /opt/haic/x; do echo no > $f && echo "wrote $f"; done; cat /opt/haic/assets/tool; echo',
    );
    assert.doesNotMatch(lines.join('\n'), /wrote/);
    assert.equal(lines.at(-1), 'tool', lines.join('|'));
    assert.equal(await readFile(path.join(home, 'assets/tool'), 'utf8'), 'tool');
  });

  it('has a /tmp and shared memory of its own', async () => {
    await told('echo A > /tmp/mine; echo A > /dev/shm/mine; echo A > /var/tmp/mine');
    assert.deepEqual(await told('ls /tmp /dev/shm /var/tmp | grep mine'), []);
  });

  it('has so much shared memory as a volume at /dev/shm says, else 64 MiB', async () => {
    const size = 'df --output=size -B1 /dev/shm | tail -1';
    assert.deepEqual((await told(size)).map(Number), [64 * 2 ** 20]);
    const source = { kind: 'memory', sizeBytes: 2 ** 31 } as const;
    const volumes = [{ name: 'shm', mountPath: '/dev/shm', source }];
    const script = `${size}; head -c 100000000 /dev/zero > /dev/shm/large && stat -c %s /dev/shm/large`;
    assert.deepEqual((await told(script, { volumes })).map(Number), [2 ** 31, 100_000_000]);
  });

  it('reaches no socket of the platform', async () => {
    const socket = path.join(home, 'core.sock');
    const listener = createServer().listen(socket);
    try {
      const lines = await told(`/usr/bin/python3 -c '
import socket
socket.socket(socket.AF_UNIX).connect("${socket}")' | tail -1; ls ${socket}`);
      assert.match(lines.join('\n'), /FileNotFoundError/);
    } finally {
      listener.close();
    }
  });

  it('leads nobody astray by links that it leaves behind', async () => {
    const victim = await mkdtemp(path.join(home, 'victim-'));
    await writeFile(path.join(victim, 'file'), 'precious', { mode: 0o600 });
    const claim = { kind: 'persistent', claim: 'links' } as const;
    const volumes = [
      { name: 'data', mountPath: '/app', source: claim },
      { name: 'scratch', mountPath: '/resources', source: { kind: 'ephemeral' } as const },
    ];
    const spec = t.spec({
      command: shell(
        `ln -s ${victim} /app/link; ln -s ${victim}/file /app/file; ln -s ${victim} /resources/link; echo up; ${idle}`,
      ),
      volumes,
    });
    await t.apply(spec);
    await t.line(spec.name, /up/);
    await runtime.remove(spec.name, { volumes: 'keep', signal: t.signal });
    // The next owner of the claim has another uid: the files change hands, what they point to does not.
    await t.apply(t.spec({ image: 'fixed' }));
    const next = t.spec({ volumes, image: 'fixed', command: shell(`ls -ln /app; echo up; ${idle}`) });
    await t.apply(next);
    await t.line(next.name, /62999.*link/);
    await runtime.remove(next.name, { volumes: 'delete', signal: t.signal });
    assert.equal(await readFile(path.join(victim, 'file'), 'utf8'), 'precious');
    assert.deepEqual([(await stat(victim)).uid, (await stat(path.join(victim, 'file'))).uid], [0, 0]);
    assert.ok(!(await readdir(installation.options.volumesDirectory)).includes('links'));
  });

  it('mounts no link that somebody put where a volume should be', async () => {
    await symlink('/etc', path.join(installation.options.volumesDirectory, 'planted'));
    const spec = t.spec({
      restartPolicy: 'Never',
      volumes: [{ name: 'data', mountPath: '/app', source: { kind: 'persistent', claim: 'planted' } }],
    });
    await t.apply(spec);
    const { status } = await t.until(spec.name, 'Failed');
    assert.match(status.lastTermination?.message ?? '', /not a directory/);
    await rm(path.join(installation.options.volumesDirectory, 'planted'));
  });
});
