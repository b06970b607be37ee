import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeEnd, likelyCause } from './likely-cause.ts';

const app = { module: 'src.app' };
const examples: readonly (readonly [string, RegExp | undefined])[] = [
  ["TypeError: Router.__init__() got an unexpected keyword argument 'on_startup'", /starlette<1/],
  ['ValueError: numpy.dtype size changed, may indicate binary incompatibility', /numpy<2/],
  ["ModuleNotFoundError: No module named 'src'", /src, which app\.toml names, is not in the bundle/],
  ["ModuleNotFoundError: No module named 'altair'", /"altair", which is not installed/],
  [
    'ImportError: libgomp.so.1: cannot open shared object file: No such file',
    /libgomp\.so\.1.*packages\.txt/,
  ],
  ["OSError: [Errno 28] No space left on device: '/resources/x'", /disk is full/],
  ["OSError: [Errno 30] Read-only file system: '/etc/x'", /cannot write to \/etc\/x/],
  ['  cause: invalid peer certificate: UnknownIssuer', /HAIC_CA_FILE/],
  ['error: Failed to fetch: https://index.example/simple/x/', /index cannot be reached/],
  ['  × No solution found when resolving dependencies:', /cannot be satisfied/],
  ["KeyError: 'MY_API_KEY'", /MY_API_KEY.*\[\[Env\]\]/],
  ['SyntaxError: invalid syntax', /cannot be read \(SyntaxError: invalid syntax\)/],
  ['my.package.OddError: something else', /stopped with my\.package\.OddError: something else/],
  ['INFO: all is well', undefined],
];
for (const [line, expected] of examples) {
  test(`"${line.slice(0, 60)}" is explained`, () => {
    const cause = likelyCause(['INFO: starting', line], app);
    if (expected === undefined) assert.equal(cause, undefined);
    else assert.match(cause ?? '', expected);
  });
}

test('the way a process ended is told in words', () => {
  assert.match(describeEnd({ code: null, signal: 'SIGKILL' }), /memory/);
  assert.equal(describeEnd({ code: null, signal: 'SIGSEGV' }), 'was ended by SIGSEGV');
  assert.equal(describeEnd({ code: 3, signal: null }), 'ended with exit code 3');
});
