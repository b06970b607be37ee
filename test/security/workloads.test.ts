import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { craftZip, png } from '@haic/services/app-store/catalog/testing.ts';
import { callApi } from '../support/api.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { inside, type Probe, startProbe } from './support.ts';

let haic: Haic;
let token: string;
let mine: Probe;
let victim: Probe;
let isolated: boolean;
before(async () => {
  haic = await startHaic();
  await haic.addUser('mallory');
  await haic.addUser('ada');
  token = await haic.accessToken('mallory');
  mine = await startProbe(haic, token);
  const ada = await haic.accessToken('ada');
  victim = await startProbe(haic, ada, 'victim');
  await inside(
    haic,
    ada,
    victim,
    'import os\nos.makedirs("/app/own", exist_ok=True)\nopen("/app/own/secret", "w").write("ADAS-DATA")\nos.chmod("/app/own/secret", 0o644)',
  );
  const { body } = await callApi<{ isolation: { isolation: string[] } }>(haic, token, 'GET', '/api/v1/me');
  isolated = body.isolation.isolation.some((line) => line.includes('bubblewrap'));
});
after(() => haic?.stop());

const attack = (code: string) => inside(haic, token, mine, code);

/** Tries every path in the given way; what each attempt came to. */
const tryPaths = async (paths: readonly string[], attempt: string): Promise<Record<string, string>> =>
  JSON.parse(
    await attack(`
import json, os, socket
def attempt(path):
    ${attempt}
results = {}
for path in ${JSON.stringify(paths)}:
    try: results[path] = "did it: " + repr(attempt(path))[:200]
    except Exception as error: results[path] = type(error).__name__
print(json.dumps(results))
`),
  ) as Record<string, string>;

const noneDone = (results: Record<string, string>) =>
  assert.deepEqual(
    Object.entries(results).filter(([, came]) => came.startsWith('did it')),
    [],
  );

describe('24 what an app tries against the machine and the platform', () => {
  test('apps run isolated here, each with a uid of its own, without root and capabilities', async () => {
    assert.ok(isolated, 'these tests are for the isolated mode');
    const facts = await attack(
      'import os\nprint(os.getuid(), os.getgroups())\nprint(open("/proc/self/status").read())',
    );
    assert.match(facts, /^6[1-5]\d{3} /);
    assert.match(facts, /CapEff:\t0{16}\n[\s\S]*CapBnd:\t0{16}/);
    assert.match(facts, /NoNewPrivs:\t1/);
  });

  test('reads nothing of HAIC_HOME, PostgreSQL, secrets or other people’s files', async () => {
    const files = (await readdir(haic.home, { recursive: true })).map((name) => path.join(haic.home, name));
    const interesting = files.filter(
      (name) => !name.includes(mine.id) && !name.startsWith(path.join(haic.home, 'assets')),
    );
    // Something of each kind is there to be read.
    for (const part of ['secrets/master-key', 'postgres', 'blobs', 'run/core.sock', 'logs', victim.id])
      assert.ok(
        interesting.some((name) => name.includes(part)),
        part,
      );
    const paths = [
      haic.home,
      ...interesting.slice(0, 3000),
      ...['/etc/shadow', '/root', '/root/.ssh', '/var/lib/haic', '/var/lib/postgresql', '/sys/fs/cgroup'],
      ...['/run/dbus', '/var/log', '/home', '/proc/kcore', '/dev/mem', '/dev/sda'],
    ];
    noneDone(
      await tryPaths(paths, 'return os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(20)'),
    );
  });

  test('opens neither core’s socket nor the database, nor another app’s token endpoint', async () => {
    noneDone(
      await tryPaths(
        [path.join(haic.home, 'run/core.sock')],
        's = socket.socket(socket.AF_UNIX); s.connect(path); return s',
      ),
    );
    const facts = JSON.parse(await haic.run(['status', '--json'])) as unknown;
    const port = await postgresPort();
    assert.ok(port > 0, JSON.stringify(facts));
    const said = await attack(`
import socket, struct
def message(*words):
    body = struct.pack("!I", 196608) + b"\\0".join(word.encode() for word in words) + b"\\0\\0"
    return struct.pack("!I", len(body) + 4) + body
for user in ["haic", "postgres"]:
    s = socket.create_connection(("127.0.0.1", ${port}))
    s.sendall(message("user", user, "database", "postgres"))
    print(s.recv(200))
`);
    // AuthenticationSASL or an error; never AuthenticationOk (R, length 8, code 0).
    assert.match(said, /SCRAM-SHA-256|no pg_hba|does not exist/);
    assert.doesNotMatch(said, /R\\x00\\x00\\x00\\x08\\x00\\x00\\x00\\x00/);
  });

  test('sees no process but its own, and can signal none', async () => {
    const said = await attack(`
import glob, os, signal
print(sorted(int(os.path.basename(p)) for p in glob.glob("/proc/[0-9]*")))
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    try: print(open(path).read())
    except OSError: pass
for pid in ${JSON.stringify(await platformPids())}:
    try: os.kill(pid, 0); print("SIGNALLED", pid, open(f"/proc/{pid}/cmdline").read())
    except OSError: pass
`);
    assert.ok(!said.includes(victim.id));
    assert.doesNotMatch(said, /core\.mjs|postgres|--services/);
    const signalled = [...said.matchAll(/SIGNALLED \d+ (.*)/g)].map((match) => match[1]);
    // A number may be one of its own in its own process namespace; then it is its launcher, python or shell.
    for (const line of signalled) assert.match(String(line), /launcher\.mjs|probe|bwrap|sh/);
  });

  test('changes neither shared environments, the package cache, the launcher nor the system', async () => {
    const environments = haic.environment.HAIC_ENVIRONMENTS_DIR as string;
    const listed = JSON.parse(
      await attack(`
import json, os, sys
targets = [sys.prefix, os.path.realpath(sys.executable), os.path.realpath("/resources/venv"), ${JSON.stringify(environments)}]
for root, folders, files in os.walk(os.path.realpath("/resources/venv")):
    targets += [os.path.join(root, name) for name in files[:2]]
for root in ["/opt/haic", ${JSON.stringify(environments)}]:
    for folder, folders, files in os.walk(root):
        targets += [folder] + [os.path.join(folder, name) for name in files]
print(json.dumps(sorted(set(targets))[:2000]))
`),
    ) as string[];
    assert.ok(
      listed.some((name) => name.endsWith('launcher.mjs')),
      listed.join('\n').slice(0, 500),
    );
    const own = listed.filter((name) => !name.startsWith('/resources') && !name.startsWith('/app'));
    const targets = [...own, '/usr/bin/python3', '/usr/bin/env', '/bin/sh', '/etc/passwd', '/etc/hosts'];
    // A socket is there to be connected to; opened like a file it refuses by itself.
    noneDone(
      await tryPaths(
        targets,
        'return open(path, "ab") if os.path.isfile(path) else os.mkdir(path + "/planted")',
      ),
    );
    noneDone(await tryPaths(targets, 'os.chmod(path, 0o777)'));
    noneDone(await tryPaths(targets, 'os.rename(path, path + ".moved")'));
    noneDone(
      await tryPaths(
        ['uv', 'wheels', 'locks', 'tmp', 'envs', 'bytecode', 'pending'].map((name) =>
          path.join(environments, name),
        ),
        'return os.listdir(path)',
      ),
    );
  });

  test('cannot slip the installer a wheel under another hash, a path, or a command', async () => {
    const said = await attack(`
import http.client, json, socket, hashlib
class Installer(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("/opt/haic/installer/installer.sock")
def ask(method, path, body):
    c = Installer("installer")
    c.request(method, path, body)
    answer = c.getresponse()
    return [answer.status, answer.read().decode()[:300]]
other = hashlib.sha256(b"honest").hexdigest()
print(json.dumps({
  "wrong hash": ask("PUT", f"/wheels/{other}/h2o_wave-1.8.16-py3-none-any.whl", b"evil"),
  "climbing": ask("PUT", f"/wheels/{other}/..%2f..%2f..%2fenvs%2fevil.whl", b"evil"),
  "no hash": ask("PUT", "/wheels/..%2f..%2fenvs/evil.whl", b"evil"),
  "a file of the machine": ask("POST", "/environments", json.dumps({"python": "3.11", "requirements": "evil @ file:///etc/passwd", "wheels": []})),
  "an option": ask("POST", "/environments", json.dumps({"python": "3.11", "requirements": "--index-url http://127.0.0.1:1/simple\\nx", "wheels": []})),
  "an included file": ask("POST", "/environments", json.dumps({"python": "3.11", "requirements": "-r /etc/passwd", "wheels": []})),
  "a python of its own": ask("POST", "/environments", json.dumps({"python": "/app/evil", "requirements": "", "wheels": []})),
}))
`);
    const answers = JSON.parse(said) as Record<string, [number, string]>;
    for (const [what, [status, body]] of Object.entries(answers)) {
      // What the installer may not do itself is left to the app's own sandbox.
      assert.ok(status >= 400 || /"type":"(failed|needs-build)"/.test(body), `${what}: ${status} ${body}`);
      assert.doesNotMatch(body, /root:/, what);
      assert.doesNotMatch(body, /"type":"ready"/, what);
    }
  });

  test('the victim’s data was there to be read all the time', async () => {
    const volumes = (await readdir(haic.home, { recursive: true })).filter((name) =>
      name.endsWith('own/secret'),
    );
    assert.equal(volumes.length, 1);
    assert.equal(await readFile(path.join(haic.home, volumes[0] as string), 'utf8'), 'ADAS-DATA');
    assert.equal((await stat(haic.home)).mode & 0o777, 0o711);
  });
});

async function postgresPort(): Promise<number> {
  const file = path.join(haic.home, 'postgres');
  for (const name of await readdir(file, { recursive: true })) {
    if (!name.endsWith('postmaster.pid')) continue;
    return Number((await readFile(path.join(file, name), 'utf8')).split('\n')[3]);
  }
  return 0;
}

async function platformPids(): Promise<number[]> {
  const pids: number[] = [];
  for (const name of await readdir(path.join(haic.home, 'run'))) {
    if (!name.endsWith('.json')) continue;
    const { pid } = JSON.parse(await readFile(path.join(haic.home, 'run', name), 'utf8')) as { pid?: number };
    if (pid !== undefined) pids.push(pid);
  }
  return pids;
}

describe('14, 15 and 16 hostile bundles, sent by HTTP', () => {
  const toml = '[App]\nName = "ai.test.hostile"\nVersion = "1.0.0"\n[Runtime]\nModule = "app"\n';
  const base = [{ name: 'app.toml', content: toml }];
  const manifest = (more: string) => craftZip([{ name: 'app.toml', content: toml + more }]);
  const huge = Buffer.alloc(40 * 1024 * 1024);
  const cases: Record<string, () => Buffer> = {
    'a path that climbs': () => craftZip([...base, { name: '../../evil.py', content: 'x' }]),
    'a path that climbs by backslashes': () => craftZip([...base, { name: '..\\..\\evil.py', content: 'x' }]),
    'an absolute path': () => craftZip([...base, { name: '/etc/evil', content: 'x' }]),
    'a NUL in a name': () => craftZip([...base, { name: 'a\0b.py', content: 'x' }]),
    'a symbolic link': () => craftZip([...base, { name: 'link', content: '/etc', mode: 0o120777 }]),
    'a file through a link': () =>
      craftZip([
        ...base,
        { name: 'link', content: '/tmp', mode: 0o120777 },
        { name: 'link/evil', content: 'x' },
      ]),
    'a device': () => craftZip([...base, { name: 'null', mode: 0o020666 }]),
    'names that differ by case': () =>
      craftZip([...base, { name: 'A.py', content: 'x' }, { name: 'a.py', content: 'y' }]),
    'two manifests': () =>
      craftZip([...base, { name: 'app.toml', content: toml.replace('hostile', 'other') }]),
    'a name that is not UTF-8': () => craftZip([...base, { name: Buffer.from([0xff, 0xfe]), content: 'x' }]),
    'a bomb by its ratio': () => craftZip([...base, { name: 'static/icon.png', content: huge }]),
    'a size that lies': () => craftZip([...base, { name: 'big', content: huge, size: 10 }]),
    'a million entries': () => craftZip([...base, { name: 'x', content: '' }], { count: 0xffff }),
    'a module that is an option': () =>
      craftZip([{ name: 'app.toml', content: toml.replace('"app"', '"-c"') }]),
    'a mount over the system': () => manifest('VolumeMount = "/etc"\n'),
    'a memory limit beyond all': () => manifest('MemoryLimit = "1e99Gi"\n'),
    'negative GPUs': () => manifest('GPUCount = -1\n'),
    'a variable of the platform': () =>
      manifest('[[Env]]\nName = "H2O_CLOUD_ENVIRONMENT"\nValue = "http://evil"\n'),
    'a file outside of the app': () => manifest('[[File]]\nPath = "/etc/cron.d/evil"\nValue = "x"\n'),
    'a prototype': () =>
      craftZip([{ name: 'app.toml', content: `[__proto__]\nadmin = true\n${'[a]\n'.repeat(2)}` }]),
    'no zip at all': () => Buffer.from('PK\x03\x04 but no more'),
  };

  test('each is refused with a reason; nothing of it stays, and the store goes on', async () => {
    const before = await readdir(path.join(haic.home, 'blobs'), { recursive: true });
    for (const [what, make] of Object.entries(cases)) {
      const { status, body } = await callApi<{ detail?: string; code?: string }>(
        haic,
        token,
        'POST',
        '/api/v1/apps?visibility=PRIVATE',
        make(),
      );
      assert.ok(status >= 400 && status < 500, `${what}: ${status} ${JSON.stringify(body)}`);
      assert.ok((body.detail ?? '').length > 10, `${what}: ${JSON.stringify(body)}`);
      assert.ok(!JSON.stringify(body).includes(haic.home), what);
    }
    assert.deepEqual(await readdir(path.join(haic.home, 'blobs'), { recursive: true }), before);
    assert.equal((await callApi(haic, token, 'GET', '/api/v1/me')).status, 200);
  });

  test('17 an icon is served so that nothing in it can run, as what it is', async () => {
    const zip = craftZip([
      {
        name: 'app.toml',
        content: '[App]\nName = "ai.test.icon"\nVersion = "1.0.0"\n[Runtime]\nModule = "app"\n',
      },
      { name: 'app.py', content: '' },
      { name: 'static/icon.png', content: png },
    ]);
    const { body } = await callApi<{ icon: string }>(
      haic,
      token,
      'POST',
      '/api/v1/apps?visibility=PRIVATE',
      zip,
    );
    const icon = await fetch(new URL(body.icon, haic.url), { headers: { authorization: `Bearer ${token}` } });
    assert.equal(icon.status, 200);
    assert.equal(icon.headers.get('content-type'), 'image/png');
    assert.equal(icon.headers.get('x-content-type-options'), 'nosniff');
    assert.match(icon.headers.get('content-security-policy') ?? '', /sandbox|default-src 'none'/);
  });
});
