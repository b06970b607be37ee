import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  appNaming,
  startTestSecretsOfApps,
  type TestSecretsOfApps,
} from '@haic/services/secrets/app-secrets/testing-server.ts';
import { startCommandLine } from './testing.ts';

type CommandLine = Awaited<ReturnType<typeof startCommandLine>>;
const canary = 'canary-91bd';

describe('h2o secret', () => {
  let world: TestSecretsOfApps;
  let ada: CommandLine;
  let root: CommandLine;
  before(async () => {
    world = await startTestSecretsOfApps();
    const url = await world.listen();
    ada = await startCommandLine(url, 'ada/user/haic-cli');
    root = await startCommandLine(url, 'root/user+admin/haic-cli');
  });
  after(async () => {
    await ada?.[Symbol.asyncDispose]();
    await root?.[Symbol.asyncDispose]();
    await world?.stop();
  });
  const ok = async (cli: CommandLine, ...words: readonly string[]) => {
    const { out, talk, code } = await cli.run(...words);
    assert.equal(code, 0, `${words.join(' ')}: ${talk}`);
    return out;
  };

  it('keeps, shows and replaces in the lines that scripts cut', async () => {
    await writeFile(path.join(ada.directory, 'key.pem'), `-----BEGIN\n${canary}\n`);
    await writeFile(path.join(ada.directory, 'bytes'), Buffer.of(0, 255));
    const created = await ok(
      ada,
      'secret',
      'create',
      'db',
      '--from-literal=user=a=b',
      '--from-file=key=key.pem',
    );
    assert.equal(created, 'Name\tdb\nVisibility\tPRIVATE\nKeys\tkey,user\n');
    assert.equal(await ok(ada, 'secret', 'get', 'db'), created);
    assert.equal(
      await ok(ada, 'secret', 'get', 'db', '-e'),
      `${created}key\t${JSON.stringify(`-----BEGIN\n${canary}\n`)}\nuser\ta=b\n`,
    );
    await ok(ada, 'secret', 'update', 'db', '--from-file=bytes');
    assert.equal(
      await ok(ada, 'secret', 'get', 'db', '-e'),
      'Name\tdb\nVisibility\tPRIVATE\nKeys\tbytes\nbytes\tbase64:AP8=\n',
    );
    assert.deepEqual(JSON.parse(await ok(ada, 'secret', 'get', 'db', '-e', '--json')).values, {
      bytes: { base64: 'AP8=' },
    });
  });

  it('reads a value from stdin', async () => {
    const { code } = await ada.type(canary, 'secret', 'create', 'typed', '--from-file=password=-');
    assert.equal(code, 0);
    assert.match(await ok(ada, 'secret', 'get', 'typed', '-e'), new RegExp(`password\t${canary}\n`));
  });

  it('lists in columns, the newest first', async () => {
    await ok(root, 'admin', 'secret', 'create', 'shared', '--from-literal=k=v');
    const lines = (await ok(ada, 'secret', 'list')).trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^NAME +VISIBILITY +PARENT +KEYS$/);
    assert.deepEqual(
      lines.slice(1).map((line) => line.split(/ +/)),
      [
        ['shared', 'ALL_USERS', '-', 'k'],
        ['typed', 'PRIVATE', '-', 'password'],
        ['db', 'PRIVATE', '-', 'bytes'],
      ],
    );
    assert.equal((await ok(ada, 'secret', 'list', '-v', 'ALL_USERS')).trimEnd().split('\n').length, 2);
  });

  it('is for administrators where all users or an app are meant', async () => {
    const refused = await ada.run('admin', 'secret', 'create', 'x', '--from-literal=k=v');
    assert.equal(refused.code, 1);
    assert.match(refused.talk, /administrators only/);
    const hidden = await ada.run('admin', 'secret', 'get', 'shared', '-e');
    assert.match(hidden.talk, /shown to administrators only/);

    const app = ['-v', 'APP', '-p', 'app:ai.example.app'];
    assert.equal(
      await ok(root, 'admin', 'secret', 'create', 'token', ...app, '--from-literal=k=v'),
      'Name\ttoken\nVisibility\tAPP\nParent\tapp:ai.example.app\nKeys\tk\n',
    );
    assert.match(
      await ok(root, 'admin', 'secret', 'list', '-v', 'APP'),
      /token +APP +app:ai\.example\.app +k/,
    );
    assert.match(await ok(root, 'admin', 'secret', 'list'), /shared +ALL_USERS/);
    assert.match(
      await ok(root, 'admin', 'secret', 'get', 'token', '-p', 'app:ai.example.app', '-e'),
      /\nk\tv\n/,
    );
    await ok(root, 'admin', 'secret', 'update', 'shared', '--from-literal=other=v');
    await ok(root, 'admin', 'secret', 'delete', 'token', ...app, '--yes');
    assert.equal((await root.run('admin', 'secret', 'get', 'token', ...app)).code, 1);
  });

  it('deletes what no app uses, and says which ones do', async () => {
    world.apps.push(appNaming('db', 'ada'));
    const refused = await ada.run('secret', 'delete', 'db', '--yes');
    assert.equal(refused.code, 1);
    assert.match(refused.talk, /used by App of ada 1\.0\.0 \(ada\)/);
    world.apps.length = 0;
    assert.equal(await ok(ada, 'secret', 'delete', 'db', '--yes'), '');
    assert.equal((await ada.run('secret', 'get', 'db')).code, 1);
    await ok(ada, 'secret', 'create', 'db', '--from-literal=k=v');
  });

  it('says how it is used when values are missing or given twice, and never repeats one', async () => {
    for (const words of [
      [],
      [`--from-literal=${canary}`],
      [`--from-literal==${canary}`],
      [`--from-literal=k=${canary}`, `--from-literal=k=${canary}`],
      ['--from-file=k=no-such-file'],
      ['--from-file=a=-', '--from-file=b=-'],
    ]) {
      const { code, talk } = await ada.run('secret', 'create', 'x', ...words);
      assert.equal(code, 2, `${words.join(' ')}: ${talk}`);
      assert.doesNotMatch(talk, /canary/);
    }
    const { code, talk } = await ada.run('secret', 'create', 'Bad', `--from-literal=k=${canary}`);
    assert.equal(code, 1);
    assert.match(talk, /cannot be the name of a secret/);
    assert.doesNotMatch(talk, /canary/);
  });
});
