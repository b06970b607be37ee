import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openWorkbench, type Workbench } from './testing/harness.ts';
import { makeZip } from './testing/zip.ts';

const limit = { timeout: 180_000 };
let bench: Workbench;
before(async () => {
  bench = await openWorkbench();
}, limit);
after(() => bench.close());

const app = `
import starlette
from h2o_wave import Q, app, main, ui
print('STARLETTE ' + starlette.__version__, flush=True)
@app('/')
async def serve(q: Q):
    await q.page.save()
`;

const publishedWith = (requirements: string): Buffer =>
  makeZip([
    { name: 'app.toml', content: '[App]\nName = "old-app"\nVersion = "1.0.0"\n', modified: '2023-05-03' },
    { name: 'requirements.txt', content: requirements, modified: '2023-05-03' },
    { name: 'src/__init__.py', modified: '2023-05-03' },
    { name: 'src/app.py', content: app, modified: '2023-05-04' },
  ]);

test('an app published years ago starts, and its log says what was constrained and why', limit, async () => {
  bench.store.bundle = publishedWith('h2o-wave==0.26.3\n');
  const instance = await bench.start();
  await instance.untilReady();
  assert.match(await instance.untilLine(/\| STARLETTE /), /STARLETTE 0\./);
  assert.match(await instance.untilLine(/Constrained/), /starlette<1: h2o-wave before 1\.8\.9/);
  await instance.stop();
});

test('what has to be built privately is repaired too', limit, async () => {
  bench.store.bundle = publishedWith('h2o-wave==0.26.3\ndocopt==0.6.2\n');
  const instance = await bench.start({ env: { HAIC_UV: bench.uv } });
  await instance.untilReady();
  assert.match(await instance.untilLine(/\| STARLETTE /), /STARLETTE 0\./);
  assert.match(await instance.untilLine(/Constrained/), /starlette<1: h2o-wave before 1\.8\.9/);
  await instance.stop();
});

/** A source package that builds a wheel of one module by itself, or cannot. */
function sourcePackage(version: string, builds: boolean): Buffer {
  const backend = builds
    ? `
import os, zipfile
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name, info = "brittle-${version}-py3-none-any.whl", "brittle-${version}.dist-info/"
    files = {"brittle.py": 'version = "${version}"', info + "METADATA": "Metadata-Version: 2.1\\nName: brittle\\nVersion: ${version}\\n",
        info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
    files[info + "RECORD"] = "".join(n + ",,\\n" for n in [*files, info + "RECORD"])
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for path, content in files.items(): wheel.writestr(path, content)
    return name
`
    : `raise SystemExit("brittle ${version} needs a compiler of the future")`;
  const folder = `brittle-${version}`;
  return makeZip([
    {
      name: `${folder}/pyproject.toml`,
      content: `[project]\nname = "brittle"\nversion = "${version}"\n[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n`,
    },
    { name: `${folder}/backend.py`, content: backend },
    {
      name: `${folder}/PKG-INFO`,
      content: `Metadata-Version: 2.1\nName: brittle\nVersion: ${version}\n`,
    },
  ]);
}

/** An index that says when each file was published. */
async function startIndex(files: Record<string, { content: Buffer; published: string }>) {
  const server = createServer((request, response) => {
    const file = files[path.basename(request.url ?? '')];
    if (file !== undefined) return response.end(file.content);
    if (request.url !== '/simple/brittle/') return response.writeHead(404).end();
    response.setHeader('content-type', 'application/vnd.pypi.simple.v1+json');
    const list = Object.entries(files).map(([filename, { published }]) => ({
      filename,
      url: `/files/${filename}`,
      hashes: {},
      'upload-time': `${published}T12:00:00Z`,
    }));
    return response.end(JSON.stringify({ meta: { 'api-version': '1.1' }, name: 'brittle', files: list }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/simple`, close: () => server.close() };
}

test(
  'what no longer builds is built as it was when the app was published, and so again after a failure',
  limit,
  async () => {
    const index = await startIndex({
      'brittle-1.0.zip': { content: sourcePackage('1.0', true), published: '2020-06-01' },
      'brittle-2.0.zip': { content: sourcePackage('2.0', false), published: '2024-06-01' },
    });
    const server = `
import brittle, http.server, os
print('BRITTLE ' + brittle.version, flush=True)
http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), http.server.SimpleHTTPRequestHandler).serve_forever()
`;
    bench.store.bundle = makeZip([
      { name: 'requirements.txt', content: '--no-binary brittle\nbrittle\n', modified: '2021-01-01' },
      { name: 'server.py', content: server, modified: '2021-01-01' },
    ]);
    const config = { mode: 'python', module: 'server', network: { pypiIndex: index.url } } as const;
    const instance = await bench.start({ config, env: { HAIC_UV: bench.uv } });
    await instance.untilReady();
    assert.match(await instance.untilLine(/\| BRITTLE /), /BRITTLE 1\.0/);
    const log = instance.lines.join('\n');
    assert.match(log, /compiler of the future[\s\S]*Trying .*nothing newer than 2021-01-02/);
    assert.match(log, /Packages published after 2021-01-02 were left out/);
    await instance.stop();

    await rm(path.join(instance.root, 'resources/venv'), { recursive: true });
    const again = await bench.start({ config, env: { HAIC_UV: bench.uv }, root: instance.root });
    await again.untilReady();
    assert.match(await again.untilLine(/left out, as at/), /Packages published after 2021-01-02/);
    assert.doesNotMatch(again.lines.join('\n'), /compiler of the future/);
    await again.stop();
    index.close();
  },
);

test('what the runtime version asks for holds for every app on it, and its log says so', limit, async () => {
  bench.store.bundle = makeZip([
    { name: 'requirements.txt', content: 'iniconfig\npluggy\n' },
    {
      name: 'server.py',
      content: `
import http.server, importlib.metadata as m, os
print('HAS ' + m.version('iniconfig') + ' ' + m.version('pluggy'), flush=True)
http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), http.server.SimpleHTTPRequestHandler).serve_forever()
`,
    },
  ]);
  const runtime = { name: 'old', constraints: 'iniconfig<2', cutOff: '2022-01-01' };
  const instance = await bench.start({ config: { mode: 'python', module: 'server', runtime } });
  await instance.untilReady();
  assert.match(await instance.untilLine(/\| HAS /), /HAS 1\.1\.1 1\.0\.0/);
  assert.match(
    await instance.untilLine(/asks for/),
    /runtime version old asks for: iniconfig<2, nothing published after 2022-01-01/,
  );
  await instance.stop();
});
