import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { haicVersion } from '@haic/kit/version.ts';
import { writeCliConfig } from '../h2o/config-file.ts';
import { buildH2o } from './build-h2o.ts';

describe('the command line as one file', () => {
  let directory: string;
  let file: string;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'haic-h2o-'));
    file = path.join(directory, 'bin', 'h2o');
    await buildH2o(file);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  /** By its first line: the Node that people of this machine have. */
  const h2o = (args: readonly string[]) =>
    new Promise<{ code: number; out: string; talk: string }>((resolve) =>
      execFile(file, args, { cwd: directory }, (error, out, talk) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, talk }),
      ),
    );

  it('runs where nothing else of Haic is, and says the version of Haic', async () => {
    const project = await readFile(path.join(import.meta.dirname, '../../../package.json'), 'utf8');
    assert.equal(haicVersion, JSON.parse(project).version);
    assert.deepEqual(await h2o(['--version']), { code: 0, out: `${haicVersion}\n`, talk: '' });
    const lost = await h2o(['app', 'list', '--conf', '/nowhere/config.toml']);
    assert.equal(lost.code, 4);
    assert.match(lost.talk, /^h2o: .*: h2o config setup$/m);
  });

  it('runs where a package.json makes every script a module', async () => {
    const manifest = path.join(directory, 'package.json');
    await writeFile(manifest, '{"type":"module"}');
    assert.equal((await h2o(['--version'])).out, `${haicVersion}\n`);
    await rm(manifest);
  });

  it('is written for Node 20, and names the licences of what it holds', async () => {
    const content = await readFile(file, 'utf8');
    assert.match(content, /^#!\/usr\/bin\/env node\n/);
    for (const newer of ['Promise.withResolvers', 'Promise.try', 'CACertificates', 'Array.fromAsync'])
      assert.ok(!content.includes(newer), newer);
    for (const contained of ['undici', 'commander', 'yazl', 'Apache License'])
      assert.match(content, new RegExp(`^// .*${contained}`, 'm'));
  });

  it('says when Haic offers a newer one, and does its work', async () => {
    const answers: Record<string, unknown> = {
      '/cli/version': { version: '99.0.0' },
      '/auth/realms/haic/protocol/openid-connect/token': { access_token: 'a', expires_in: 300 },
    };
    const server = createServer((request, response) =>
      response.end(JSON.stringify(answers[request.url?.split('?')[0] ?? ''] ?? { items: [] })),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const conf = path.join(directory, 'config.toml');
    const OIDCAddress = `${url}/auth/realms/haic`;
    await writeCliConfig(conf, { Endpoint: url, OIDCAddress, ClientID: 'haic-cli', Token: 'x' });
    const { code, out, talk } = await h2o(['app', 'list', '--all', '--conf', conf]);
    server.close();
    assert.deepEqual([code, out], [0, 'ID  TITLE  OWNER  CREATED  VISIBILITY  TAGS\n']);
    assert.match(talk, /is older than .*, which offers 99\.0\.0/);
  });
});
