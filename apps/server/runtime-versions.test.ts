import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ConfigError } from '@haic/kit/config.ts';
import { parseRuntimeVersions, runtimeVersionsOf } from './runtime-versions.ts';
import { readSettings } from './settings.ts';

const two = [
  { name: 'deb_py311', python: '3.11', default: true, aliases: ['deb11_py310_wlatest'] },
  { name: 'deb_py39', python: '3.9', deprecated: true, constraints: 'numpy<2', cutOff: '2024-06-30' },
];

test('runtime versions are read from the setting itself, from JSON and from TOML', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'haic-runtimes-'));
  const json = path.join(folder, 'versions.json');
  const toml = path.join(folder, 'versions.toml');
  await writeFile(json, JSON.stringify(two));
  await writeFile(
    toml,
    `[[RuntimeVersion]]
Name = "deb_py311"
Python = "3.11"
Default = true
Aliases = ["deb11_py310_wlatest"]
[[RuntimeVersion]]
Name = "deb_py39"
Python = "3.9"
Deprecated = true
Constraints = ["numpy<2"]
CutOff = 2024-06-30
`,
  );
  const expected = [
    {
      name: 'deb_py311',
      python: '3.11',
      aliases: ['deb11_py310_wlatest'],
      default: true,
      deprecated: false,
    },
    {
      name: 'deb_py39',
      python: '3.9',
      aliases: [],
      default: false,
      deprecated: true,
      constraints: 'numpy<2',
      cutOff: '2024-06-30',
    },
  ];
  for (const source of [JSON.stringify(two), json, toml])
    assert.deepEqual(parseRuntimeVersions(source), expected, source);
  await rm(folder, { recursive: true });
});

test('the only one that takes new apps is the default', () => {
  const [version] = parseRuntimeVersions('[{"name": "py", "python": "3.12"}]');
  assert.equal(version?.default, true);
});

test('all that is wrong with the setting is said at once, with the name of the setting', () => {
  const wrong = [
    { name: 'a b', python: 3.11, default: true, colour: 'red' },
    { name: 'x', python: '3.11', default: true, aliases: ['y'], constraints: '--index-url http://evil' },
    { name: 'y', python: '3.12', deprecated: 'no', cutOff: '2024-02-30' },
  ];
  assert.throws(
    () => readSettings({ HAIC_RUNTIME_VERSIONS: JSON.stringify(wrong), HAIC_PORT: 'x' }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /HAIC_PORT/);
      for (const part of [
        /HAIC_RUNTIME_VERSIONS: a b: "colour" is not known/,
        /a b: name must be a word/,
        /a b: python must be a version in quotes/,
        /x: constraints: /,
        /y: default and deprecated must be/,
        /y: cutOff must be a date/,
        /"y" is the name or alias of two/,
        /Exactly one must be the default/,
      ])
        assert.match(error.message, part);
      return true;
    },
  );
});

for (const [what, raw, expected] of [
  [
    'a file that is not there',
    '/nonexistent/versions.toml',
    /\/nonexistent\/versions\.toml, which cannot be read/,
  ],
  ['what is no JSON', '[{', /is not valid JSON/],
  ['an empty list', '[]', /must be a list/],
  ['only deprecated ones', '[{"name": "a", "python": "3.8", "deprecated": true}]', /All are deprecated/],
] as const)
  test(`${what} is refused`, () => assert.throws(() => parseRuntimeVersions(raw), expected));

test('without the setting there is the machine’s Python, and what is missing says so', async () => {
  const [own] = await runtimeVersionsOf(undefined);
  assert.equal(own?.default, true);
  assert.equal(own?.unavailable, undefined);
  assert.ok(own?.aliases.includes('deb11_py310_wlatest'));
  const [missing] = await runtimeVersionsOf(parseRuntimeVersions('[{"name": "future", "python": "3.99"}]'));
  assert.match(
    missing?.unavailable ?? '',
    /future needs Python 3\.99, which is not installed.*There is: 3\./,
  );
});
