import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { execute, type Haic, startHaic } from '../support/haic.ts';
import { pythonWith } from '../support/python.ts';

const sample = path.join(import.meta.dirname, '../../samples/hello');
const officialClients = path.join(import.meta.dirname, 'official_clients.py');
const release = path.join(import.meta.dirname, 'release.sh');

describe('the command line that the portal offers', () => {
  let haic: Haic;
  let directory: string;
  let app: string;
  let environment: NodeJS.ProcessEnv;

  before(async () => {
    haic = await startHaic();
    directory = await mkdtemp(path.join(tmpdir(), 'haic-h2o-'));
    app = path.join(directory, 'hello');
    await mkdir(path.join(directory, 'bin'));
    environment = {
      PATH: `${path.join(directory, 'bin')}:${process.env.PATH}`,
      HOME: directory,
      H2OCONFIG: path.join(directory, 'h2o-cli-config.toml'),
    };
    await haic.addUser('ada');
  });
  after(async () => {
    await haic?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** As it was downloaded, by the Node that the machine has. */
  const h2o = (...words: readonly string[]): ChildProcessWithoutNullStreams =>
    spawn('h2o', words, { cwd: app, env: environment });
  async function run(words: readonly string[], input = '') {
    const child = h2o(...words);
    child.stdin.end(input);
    const [out, talk] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { code: child.exitCode, out, talk };
  }
  async function ok(...words: readonly string[]): Promise<string> {
    const { code, out, talk } = await run(words);
    assert.equal(code, 0, `h2o ${words.join(' ')}: ${talk}`);
    return out;
  }
  const fields = (out: string): Record<string, string | undefined> =>
    Object.fromEntries(
      out
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t')),
    );
  const firstId = (out: string): string => /^ID\t([0-9a-f-]{36})$/m.exec(out)?.[1] ?? assert.fail(out);
  const rows = (out: string) => out.trimEnd().split('\n').slice(1);

  /** Waits until `instance get` says so. */
  const become = (id: string, status: string) =>
    until(async () => (fields(await ok('instance', 'get', id)).Status === status ? true : undefined), {
      everyMs: 200,
      signal: deadline(60_000),
    });

  /** The sample as the version, with other code if any is given. */
  async function writeApp(version: string, code?: string): Promise<void> {
    await rm(app, { recursive: true, force: true });
    await cp(sample, app, { recursive: true });
    const manifest = path.join(app, 'app.toml');
    const toml = await readFile(manifest, 'utf8');
    await writeFile(manifest, toml.replace('Version = "1.0.0"', `Version = "${version}"`));
    if (code !== undefined) await writeFile(path.join(app, 'src/app.py'), code);
  }

  it('is downloaded by anyone, is what its checksum says, and runs', async () => {
    const answer = await fetch(`${haic.url}/cli/h2o`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-disposition') ?? '', /attachment; filename="h2o"/);
    const content = Buffer.from(await answer.arrayBuffer());
    const sum = createHash('sha256').update(content).digest('hex');
    assert.equal(await (await fetch(`${haic.url}/cli/h2o.sha256`)).text(), `${sum}  h2o\n`);
    const about = (await (await fetch(`${haic.url}/cli/version`)).json()) as { version: string };
    const file = path.join(directory, 'bin', 'h2o');
    await writeFile(file, content);
    await chmod(file, 0o755);
    await writeApp('1.0.0');
    assert.equal(await ok('--version'), `${about.version}\n`);
    assert.equal((await fetch(`${haic.url}/cli/other`)).status, 404);
  });

  it('is set up from what Haic says, and the official Python clients read what it writes', async () => {
    const token = (await haic.run(['token', '--user', 'ada'])).trim();
    const nobody = await run(['app', 'list']);
    assert.deepEqual([nobody.code, nobody.out], [4, '']);
    const wrong = await run(['config', 'setup', '--endpoint', haic.url], 'not a token');
    assert.deepEqual([wrong.code, wrong.out], [4, '']);
    // A platform token is known for one; the page gives the command line's.
    const done = await run(['config', 'setup', '--endpoint', `${haic.url}/`], token);
    assert.equal(done.code, 0, done.talk);
    const added = await run(['config', 'update-platform-token'], `${token}\n`);
    assert.equal(added.code, 0, added.talk);

    const info = await ok('platform', 'token-info');
    assert.deepEqual(info.trimEnd().split('\n'), [
      `Token Endpoint URL\t${haic.url}/auth/realms/haic/protocol/openid-connect/token`,
      'Client ID\thaic-platform',
      `Refresh Token\t${token}`,
    ]);
    assert.equal(await ok('platform', 'refresh-token'), `${token}\n`);
    const accessToken = (await ok('platform', 'access-token')).trim();
    const me = await fetch(`${haic.url}/api/v1/me`, { headers: { authorization: `Bearer ${accessToken}` } });
    assert.equal(((await me.json()) as { username: string }).username, 'ada');

    const python = await pythonWith(['h2o-cloud-discovery==3.3.0', 'h2o-authn==3.1.0']);
    const found = JSON.parse(await execute(python, [officialClients, 'sync', 'config'], environment));
    assert.deepEqual([found.environment, found.username, found.party], [haic.url, 'ada', 'haic-platform']);
  });

  it('takes an app developer from a broken version to a repaired one, and back', async () => {
    await writeApp('1.0.0');
    const first = firstId(await ok('bundle', 'import'));

    await writeApp('1.1.0', 'import no_such_module\n');
    const broken = await ok('bundle', 'import', '-v', 'ALL_USERS');
    assert.deepEqual(
      broken.split('\n').map((line) => line.split('\t')[0]),
      [
        ...[
          'ID',
          'Title',
          'Version',
          'Created At',
          'Updated At',
          'Owner',
          'Visibility',
          'Description',
          'Tags',
        ],
        '',
      ],
    );
    const failing = firstId(await ok('app', 'run', firstId(broken)));
    const log = await ok('instance', 'logs', '-f', failing);
    assert.match(log, /No module named 'no_such_module'/, 'what is followed ends when the app does');
    const status = await run(['instance', 'status', failing]);
    const pod = fields(status.out);
    assert.match(pod.Status ?? '', /CrashLoopBackOff|Error|Failed/);
    assert.match(`${pod.Message} ${pod['Last Failure']}`, /no_such_module/);
    assert.match(
      status.talk,
      new RegExp(`h2o instance logs ${failing}`),
      'the next command is the one at hand',
    );
    await ok('instance', 'terminate', failing);

    await writeApp('1.1.1');
    const repaired = firstId(await ok('app', 'run', firstId(await ok('bundle', 'import'))));
    await become(repaired, 'Deployed');
    assert.match(
      rows(await ok('instance', 'list', '-wide'))[0] ?? '',
      new RegExp(`^${repaired} +Hello 1\\.1\\.1 `),
    );

    const older = rows(await ok('app', 'list')).find((row) => /Hello 1\.0\.0 /.test(row));
    assert.equal(older?.split(' ')[0], first);
    const back = firstId(await ok('app', 'run', first));
    await ok('instance', 'terminate', repaired);
    await become(back, 'Deployed');
  });

  it('pauses an instance and resumes it later', async () => {
    const [id = ''] = rows(await ok('instance', 'list'))[0]?.split(' ') ?? [];
    assert.equal(fields(await ok('instance', 'suspend', id)).Status, 'Paused');
    await become(id, 'Paused');
    const resumed = await ok('instance', 'resume', id);
    assert.equal(firstId(resumed), id);
    await become(id, 'Deployed');
    const before = Date.parse(fields(resumed)['Suspend After'] ?? '');
    assert.ok(Date.parse(fields(await ok('instance', 'extend', id))['Suspend After'] ?? '') >= before);
  });

  it('serves a release script of real life as it is', async () => {
    await writeApp('2.0.0');
    const [old = ''] = rows(await ok('instance', 'list'))[0]?.split(' ') ?? [];
    const child = spawn('sh', [release, 'Hello'], { cwd: app, env: environment });
    const [out, talk] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    assert.equal(child.exitCode, 0, talk);
    const now = fields(await ok('instance', 'get', out.trim()));
    assert.deepEqual([now.App, now.Visibility], ['Hello 2.0.0', 'ALL_USERS']);
    await become(old, 'Paused');
    assert.equal(fields(await ok('instance', 'get', old)).Visibility, 'PRIVATE');
    const apps = rows(await ok('app', 'list'));
    assert.match(apps[0] ?? '', /Hello 2\.0\.0 +ada +\d+s +PUBLIC/);
    assert.match(talk, /old app: PRIVATE/);
    for (const id of [old, out.trim()]) await ok('instance', 'terminate', id);
  });

  it('keeps a secret, which an app gets and nobody else sees', async () => {
    const created = await run(['secret', 'create', 'greeting', '--from-file=text=-'], 'hush-hush-value');
    assert.equal(created.code, 0, created.talk);
    assert.equal(created.out, 'Name\tgreeting\nVisibility\tPRIVATE\nKeys\ttext\n');
    const [row = ''] = rows(await ok('secret', 'list'));
    assert.deepEqual(row.split(/ +/), ['greeting', 'PRIVATE', '-', 'text']);
    await writeApp('2.5.0');
    await appendFile(
      path.join(app, 'app.toml'),
      '\n[[Env]]\nName = "GREETING"\nSecret = "greeting"\nSecretKey = "text"\n',
    );
    const code = await readFile(path.join(app, 'src/app.py'), 'utf8');
    await writeFile(
      path.join(app, 'src/app.py'),
      `import os\nprint('LENGTH', len(os.environ['GREETING']), os.environ['GREETING'], flush=True)\n${code}`,
    );
    const id = firstId(await ok('bundle', 'import'));
    const instance = firstId(await ok('app', 'run', id));
    await become(instance, 'Deployed');
    assert.match(await ok('instance', 'logs', instance), /LENGTH 15 \[redacted\]/);
    const inUse = await run(['secret', 'delete', 'greeting', '--yes']);
    assert.equal(inUse.code, 1);
    assert.match(inUse.talk, /used by Hello 2\.5\.0 \(ada\)/);
    await ok('instance', 'terminate', instance);
    await ok('app', 'delete', id, '--yes');
    await ok('secret', 'delete', 'greeting', '--yes');
    assert.match(await ok('secret', 'list'), /^NAME +VISIBILITY +PARENT +KEYS\n$/);
  });

  it('bundle test shows the log until it is interrupted, and leaves nothing behind', async () => {
    const before = await ok('app', 'list', '--json');
    const tried = async (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', version: string) => {
      const folder = path.join(directory, signal);
      await writeApp(version);
      await cp(app, folder, { recursive: true });
      const child = h2o('bundle', 'test', folder);
      let out = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        out += chunk;
      });
      const talk = text(child.stderr);
      const end = async () => {
        await until(() => (/^URL\t.*\n.+\n/m.test(out) ? true : undefined), {
          everyMs: 20,
          signal: deadline(60_000),
        });
        assert.match(out, new RegExp(`^Version\t${version}-\\d{14}-bundle-test$`, 'm'));
        child.kill(signal);
        await once(child, 'close');
        assert.equal(child.exitCode, 0, await talk);
      };
      return end;
    };
    const tests = [
      await tried('SIGINT', '3.0.0'),
      await tried('SIGTERM', '3.1.0'),
      await tried('SIGHUP', '3.2.0'),
    ];
    await Promise.all(tests.map((end) => end()));
    assert.equal(await ok('app', 'list', '--json'), before);
    assert.deepEqual(rows(await ok('instance', 'list')), []);
  });

  it('bundle test of an app that fails says why, and leaves nothing behind', async () => {
    await writeApp('3.0.0', 'import no_such_module\n');
    const { code, out, talk } = await run(['bundle', 'test']);
    assert.equal(code, 1);
    assert.match(out, /No module named 'no_such_module'/);
    assert.match(talk, /h2o: The app has failed .*no_such_module/);
    assert.doesNotMatch(await ok('app', 'list'), /bundle-test/);
    assert.deepEqual(rows(await ok('instance', 'list')), []);
  });
});
