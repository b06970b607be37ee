import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { connectInstaller } from '@haic/services/environments/client.ts';
import { runTool } from './child-process.ts';
import { openWorkbench, type Workbench, waveBundle } from './testing/harness.ts';

const limit = { timeout: 120_000 };
let bench: Workbench;
before(async () => {
  bench = await openWorkbench();
}, limit);
after(() => bench.close());

const tellingApp = `
import os
from h2o_wave import Q, app, main
print('URL', os.environ.get('H2O_CLOUD_TOKEN_ENDPOINT_URL'), flush=True)
print('HANDLE', os.environ.get('H2O_CLOUD_CLIENT_PLATFORM_TOKEN')[::-1], flush=True)
print('PLAIN', os.environ.get('H2O_CLOUD_CLIENT_PLATFORM_TOKEN'), flush=True)
@app('/')
async def serve(q: Q):
    pass
`;

/** The official client, unmodified, as it is used inside an instance. */
const officialClient = `
import asyncio, os, sys
import h2o_authn
common = dict(issuer_url='http://127.0.0.1:9/none', client_id='haic-platform')
handle = os.environ['H2O_CLOUD_CLIENT_PLATFORM_TOKEN']
provider = h2o_authn.TokenProvider(refresh_token=handle, **common)
print('SYNC', provider.token(), provider.token().exp is not None)
async def main():
    print('ASYNC', await h2o_authn.AsyncTokenProvider(refresh_token=handle, **common).token())
asyncio.run(main())
try:
    h2o_authn.TokenProvider(refresh_token='guessed', **common).token()
except Exception as error:
    print('WRONG', type(error).__name__, getattr(error, 'error', None))
`;

test(
  'the official client gets short tokens by the handle, and invalid_grant once they are withdrawn',
  limit,
  async () => {
    bench.store.bundle = await waveBundle(tellingApp);
    bench.store.token = {
      status: 200,
      body: { access_token: 'minted', expires_in: 300, token_type: 'Bearer' },
    };
    const instance = await bench.start({ config: { platformHandle: true } });
    await instance.untilReady();
    const url = wordAfter(await instance.untilLine(/URL/), 'URL');
    const handle = [...wordAfter(await instance.untilLine(/HANDLE/), 'HANDLE')].reverse().join('');
    assert.match(await instance.untilLine(/PLAIN/), /PLAIN \[redacted\]/);

    const said = await runOfficialClient({ url, handle });
    assert.match(said, /SYNC minted True/);
    assert.match(said, /ASYNC minted/);
    assert.match(said, /WRONG TokenEndpointError invalid_grant/);
    assert.ok(bench.store.calls.includes(`POST /api/launcher/v1/instances/${instance.id}/token`));

    const ask = (form: Record<string, string>) =>
      fetch(url, { method: 'POST', body: new URLSearchParams(form) });
    const good = { grant_type: 'refresh_token', client_id: 'haic-platform', refresh_token: handle };
    bench.store.token = { status: 403, body: { code: 'not_private' } };
    const withdrawn = await ask(good);
    assert.equal(withdrawn.status, 400);
    assert.equal(((await withdrawn.json()) as { error: string }).error, 'invalid_grant');
    bench.store.token = { status: 503, body: {} };
    assert.equal((await ask(good)).status, 503);
    assert.equal((await ask({ ...good, grant_type: 'password' })).status, 400);
    assert.equal((await fetch(url)).status, 405);
    assert.equal((await ask({ ...good, refresh_token: 'x'.repeat(100_000) })).status, 400);
    await instance.stop();
  },
);

test('an instance that others may open is configured without a handle', limit, async () => {
  const instance = await bench.start({ config: { platformHandle: true, visibility: 'ALL_USERS' } });
  const { failure } = await instance.until(({ phase }) => phase === 'failed');
  assert.match(failure?.message ?? '', /platformHandle is for PRIVATE instances only/);
});

const wordAfter = (line: string, word: string) =>
  line.slice(line.indexOf(`${word} `) + word.length + 1).trim();

async function runOfficialClient(options: { url: string; handle: string }): Promise<string> {
  const outcome = await connectInstaller(bench.installerSocket).prepare({
    python: 'default',
    requirements: 'h2o-authn==3.1.0\n',
  });
  assert.equal(outcome.type, 'ready', JSON.stringify(outcome));
  if (outcome.type !== 'ready') return '';
  const script = path.join(bench.directory, 'client.py');
  await writeFile(script, officialClient);
  const lines: string[] = [];
  await runTool({
    command: path.join(outcome.path, 'bin/python'),
    args: [script],
    cwd: bench.directory,
    env: { H2O_CLOUD_TOKEN_ENDPOINT_URL: options.url, H2O_CLOUD_CLIENT_PLATFORM_TOKEN: options.handle },
    onLine: (line) => lines.push(line),
    signal: AbortSignal.timeout(60_000),
  });
  return lines.join('\n');
}
