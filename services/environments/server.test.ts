import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { connectInstaller, type EnvironmentsClient } from './client.ts';
import { createEnvironmentsServer } from './server.ts';
import { makeWheel, startTestEnvironments, testFolder } from './testing.ts';

let client: EnvironmentsClient;
let socket: string;
let directory: string;
let stop: () => Promise<void>;

before(async () => {
  const started = await startTestEnvironments({ maxWheelBytes: 64 * 1024 });
  const folder = await testFolder();
  ({ directory } = started);
  socket = path.join(folder, 'installer.sock');
  const server = createEnvironmentsServer(started.environments);
  server.listen(socket);
  await once(server, 'listening');
  client = connectInstaller(socket);
  stop = async () => {
    server.close();
    server.closeAllConnections();
    await started.stop();
    await rm(folder, { recursive: true, force: true });
  };
});
after(() => stop());

/** A request as no client of ours would send it. */
async function raw(
  method: string,
  target: string,
  body?: string | Buffer,
): Promise<{ status: number; body: string }> {
  const call = httpRequest({ socketPath: socket, method, path: target, agent: false });
  call.on('error', () => undefined);
  call.end(body);
  const [response] = await once(call, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, body: text };
}

test('a launcher uploads the wheels of its bundle, gets its environment, and sees the progress', async () => {
  const folder = await testFolder();
  const wheel = await makeWheel(folder, 'served');
  await client.health();
  await client.putWheel({ file: wheel.file, fileName: wheel.fileName, sha256: wheel.sha256 });
  await client.putWheel({ file: wheel.file, fileName: wheel.fileName, sha256: wheel.sha256 });
  const lines: string[] = [];
  const outcome = await client.prepare(
    {
      python: 'default',
      requirements: `./${wheel.fileName}\n`,
      wheels: [{ path: wheel.fileName, sha256: wheel.sha256 }],
    },
    { onLine: (line) => lines.push(line) },
  );
  assert.equal(outcome.type, 'ready', JSON.stringify(outcome));
  assert.ok(lines.includes('Installing…'), lines.join('\n'));
  if (outcome.type === 'ready') await client.keep(outcome.hash);
  await rm(folder, { recursive: true });
});

test('a wheel with another content, name or size than it may have is refused and not kept', async () => {
  const folder = await testFolder();
  const wheel = await makeWheel(folder, 'refused');
  const big = path.join(folder, 'big-1.0-py3-none-any.whl');
  await writeFile(big, Buffer.alloc(20_000_000));
  const wrong = { file: wheel.file, fileName: wheel.fileName, sha256: 'e'.repeat(64) };
  await assert.rejects(client.putWheel(wrong), { code: 'wrong_hash', status: 422 });
  await assert.rejects(client.putWheel({ ...wrong, file: big }), { code: 'wheel_too_large', status: 413 });
  for (const fileName of [
    '../../envs/x-1.0-py3-none-any.whl',
    '..',
    '.hidden-1.0-py3-none-any.whl',
    '-x-1.0-py3-none-any.whl',
    'x.whl',
    'x-1.0-py3-none-any.whl\n',
    'x-1.0-py3-none-any.whl\0.whl',
    'x y-1.0-py3-none-any.whl',
    `${'x'.repeat(300)}-1.0-py3-none-any.whl`,
  ])
    await assert.rejects(client.putWheel({ file: wheel.file, fileName, sha256: wheel.sha256 }), {
      code: 'invalid_wheel_name',
    });
  for (const hash of ['x', 'E'.repeat(64), `..%2f${'e'.repeat(60)}`, '..'])
    assert.ok(
      [400, 404].includes((await raw('PUT', `/wheels/${hash}/${wheel.fileName}`, wheel.content)).status),
      hash,
    );
  assert.equal((await raw('PUT', `/wheels/${'e'.repeat(64)}/%zz`, '')).status, 400);
  assert.deepEqual(
    (await readdir(path.join(directory, 'wheels'))).filter(
      (name) => name !== wheel.sha256 && name.startsWith('e'.repeat(8)),
    ),
    [],
  );
  await rm(folder, { recursive: true });
});

test('requests that are not what they should be get a clear answer', async () => {
  for (const body of [
    'nonsense',
    '[]',
    '{}',
    '{"python":"--evil","requirements":""}',
    '{"python":"3.11; rm","requirements":""}',
    '{"python":"default"}',
    '{"python":"default","requirements":"","excludeNewer":"--upgrade"}',
    '{"python":"default","requirements":"","scope":"../x"}',
    '{"python":"default","requirements":"","constraints":[]}',
    '{"python":"default","requirements":"","wheels":[{"path":"x","sha256":"../../etc"}]}',
    '{"python":"default","requirements":"","wheels":[null]}',
  ]) {
    const answer = await raw('POST', '/environments', body);
    assert.equal(answer.status, 400, body);
    assert.match(answer.body, /"code":"invalid_request"/);
  }
  assert.equal((await raw('POST', '/environments', 'x'.repeat(5_000_000))).status, 413);
  for (const [method, target] of [
    ['DELETE', `/environments/${'0'.repeat(64)}`],
    ['GET', '/environments'],
    ['GET', '/wheels'],
    ['POST', `/environments/${'0'.repeat(64)}/keep`],
    ['POST', '/environments/..%2f..%2fx/keep'],
    ['GET', '//['],
  ] as const)
    assert.ok([400, 404].includes((await raw(method, target)).status), `${method} ${target}`);
});

test('a launcher that goes away takes its installation with it, and the next one starts afresh', async () => {
  const leaving = new AbortController();
  const request = { python: 'default', requirements: 'pluggy==1.4.0' };
  const left = client.prepare(request, {
    signal: leaving.signal,
    onLine: (line) => void (line === 'Installing…' && leaving.abort(new Error('gone'))),
  });
  await assert.rejects(left, /gone/);
  assert.equal((await client.prepare(request)).type, 'ready');
});

test('an installer that is not there is said so', async () => {
  await assert.rejects(connectInstaller(`${socket}.none`).prepare({ python: 'default', requirements: '' }), {
    code: 'installer_unavailable',
  });
});
