import assert from 'node:assert/strict';
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
