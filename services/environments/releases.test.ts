import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { cutOffsOf } from './cut-offs.ts';
import { createReleases, pinsOf, type Releases } from './releases.ts';

const signal = AbortSignal.timeout(60_000);
const file = (filename: string, time: string) => ({ filename, 'upload-time': `${time}T10:00:00.5Z` });
const pages: Record<string, unknown> = {
  'old-one': {
    files: [
      file('old_one-1.0-py3-none-any.whl', '2020-03-01'),
      // A wheel for a Python that came years later.
      file('old_one-1.0-cp313-cp313-linux_x86_64.whl', '2024-10-10'),
      file('old-one-1.0.1.tar.gz', '2023-01-01'),
    ],
  },
  newer: { files: [file('newer-2.0.0.tar.gz', '2021-07-09')] },
  silent: { files: [{ filename: 'silent-1.0.tar.gz' }] },
};

let asked: { name: string; authorization: string | undefined }[] = [];
const server = createServer((request, response) => {
  const name = /^\/simple\/([^/]+)\/$/.exec(request.url ?? '')?.[1] ?? '';
  asked.push({ name, authorization: request.headers.authorization });
  if (name === 'moved') return response.writeHead(302, { location: '/simple/newer/' }).end();
  if (name === 'circle') return response.writeHead(302, { location: '/simple/circle/' }).end();
  if (name === 'html') return response.writeHead(200, { 'content-type': 'text/html' }).end('<a>x</a>');
  if (pages[name] === undefined) return response.writeHead(404).end();
  response.setHeader('content-type', 'application/vnd.pypi.simple.v1+json');
  return response.end(JSON.stringify(pages[name]));
});

let releases: Releases;
let host: string;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  releases = createReleases({ index: `http://reader:p%40ss@${host}/simple/` });
});
after(() => server.close());

const newest = (...lines: string[]) => releases.newestOf(pinsOf(lines), signal);

test('pins are requirements of exactly one version', () => {
  const lines = [
    'A_b[extra]==1.0 ; python_version > "3"',
    'c===2',
    'd (==3.0rc1)',
    'e>=1',
    'f==1.*',
    'g==1,<2',
    'h',
    'i @ file:///wheels/i.whl',
  ];
  assert.deepEqual(pinsOf(lines), [
    { name: 'a-b', version: '1.0' },
    { name: 'c', version: '2' },
    { name: 'd', version: '3.0rc1' },
  ]);
});

test('the newest release among the pins decides; of a release, its first file', async () => {
  assert.equal(await newest('Old.One==1.0.0'), '2020-03-01');
  assert.equal(await newest('old-one==1.0.1'), '2023-01-01');
  assert.equal(await newest('old-one==1.0', 'newer==2.0'), '2021-07-09');
});

test('what the index does not say is not guessed', async () => {
  for (const pin of ['silent==1.0', 'html==1.0', 'unknown==1.0', 'circle==1.0', 'old-one==9.9'])
    assert.equal(await newest(pin), undefined, pin);
  assert.equal(
    await newest('unknown==1.0', 'moved==2.0.0'),
    '2021-07-09',
    'one that fails does not hide the others',
  );
  const away = createReleases({ index: 'http://127.0.0.1:1/simple' });
  assert.equal(await away.newestOf([{ name: 'newer', version: '2.0' }], signal), undefined);
});

test('the index is asked with the credentials of its address', async () => {
  asked = [];
  await newest('newer==2.0');
  assert.deepEqual(asked, [
    { name: 'newer', authorization: `Basic ${Buffer.from('reader:p@ss').toString('base64')}` },
  ]);
});

const dates = async (publishedOn: string | undefined, ...requirements: string[]) =>
  (await cutOffsOf({ requirements, publishedOn, today: '2026-01-01', releases, signal })).map(
    ({ date }) => date,
  );

test('the days to try: that of the newest file, then that of the newest pin', async () => {
  assert.deepEqual(await dates('2022-05-05', 'newer==2.0'), ['2022-05-06', '2021-07-10']);
  assert.deepEqual(await dates('2022-05-05', 'unpinned'), ['2022-05-06']);
  assert.deepEqual(await dates(undefined, 'newer==2.0'), ['2021-07-10']);
  assert.deepEqual(await dates('2021-07-09', 'newer==2.0'), ['2021-07-10'], 'once each');
});

test('a day that cannot be it is not tried', async () => {
  assert.deepEqual(await dates('2019-01-01', 'newer==2.0'), ['2021-07-10'], 'older than a pin');
  assert.deepEqual(await dates('1980-01-01', 'newer==2.0'), ['2021-07-10'], 'no date at all');
  assert.deepEqual(await dates('2025-12-31', 'newer==2.0'), ['2021-07-10'], 'packed again today');
  assert.deepEqual(await dates('2025-12-31', 'html==1.0'), []);
});
