import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openWorkbench, type TestInstance, type Workbench } from './testing/harness.ts';
import { makeZip } from './testing/zip.ts';

/** Listens on the loopback alone, as many apps do, and tells of its environment. */
const source = `import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length']))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({'environment': dict(os.environ), 'length': len(body)}).encode())
    def log_message(self, *args):
        pass

http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
`;

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

describe('an instance that has no installer of its machine beside it', () => {
  let bench: Workbench;
  let instance: TestInstance;
  before(async () => {
    bench = await openWorkbench();
    bench.store.bundle = makeZip([
      { name: 'app.toml', content: '[App]\nName = "test-app"\nVersion = "1.2.3"\n' },
      { name: 'main.py', content: source },
    ]);
    instance = await bench.start({
      config: {
        ...{ mode: 'python', module: 'main', installer: undefined },
        network: { authorities: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
      } as never,
      env: { HAIC_INSTALLER: path.join(bench.directory, 'installer.mjs'), HAIC_LISTEN: '0.0.0.0' },
    });
    await instance.untilReady();
  });
  after(() => bench.close());

  const ask = async (url: string) => {
    const answer = await fetch(url, { method: 'POST', body: 'x'.repeat(500_000) });
    return (await answer.json()) as { environment: Record<string, string>; length: number };
  };

  it('makes its environment with the installer of its image, which ends then', async () => {
    const { environment } = await ask(instance.appUrl);
    assert.ok(environment.VIRTUAL_ENV?.startsWith(instance.root));
    await assert.rejects(readFile(path.join(instance.root, 'tmp/installer.sock')), { code: 'ENOENT' });
  });

  it('is reached at the address of its pod, even where the app listens on the loopback alone', async () => {
    // Where there is no network at all, the launcher's own page is all that can be asked.
    const address = outside ?? '127.0.0.1';
    const status = instance.statusUrl.replace('127.0.0.1', address);
    assert.equal((await fetch(`${status}/live`)).status, 200);
    assert.equal((await ask(`http://${address}:${instance.portApp}`)).length, 500_000);
  });

  it('trusts the authorities that came with its configuration, beside those of the system', async () => {
    const { environment } = await ask(instance.appUrl);
    const file = environment.SSL_CERT_FILE ?? '';
    assert.equal(environment.REQUESTS_CA_BUNDLE, file);
    assert.match(await readFile(file, 'utf8'), /CERTIFICATE-----\nAAAA/);
  });

  it('says so when its image has no installer', async () => {
    const bare = await bench.start({ config: { installer: undefined } as never });
    const { failure } = await bare.until(({ phase }) => phase === 'failed');
    assert.match(failure?.message ?? '', /has no installer/);
  });
});
