import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { errorCodes } from './error-codes.ts';

const root = path.join(import.meta.dirname, '../..');

/** The constructors of kit/errors.ts with their status; `no` is what policies write, and the route that asks them decides the status. */
const constructors: Readonly<Record<string, number | undefined>> = {
  invalid: 400,
  forbidden: 403,
  conflict: 409,
  tooLarge: 413,
  unprocessable: 422,
  unavailable: 503,
  HaicError: undefined,
  no: undefined,
};
/** Expressions that hand on a code which was made, and counted, elsewhere. */
const handedOn = ['code', 'problem.code', 'decision.code', 'admission.passage.because'];

interface Made {
  readonly code: string;
  readonly status: number | undefined;
  readonly file: string;
}

function codesInSource(): { made: Made[]; unreadable: string[] } {
  const made: Made[] = [];
  const unreadable: string[] = [];
  const files = ['kit', 'platform', 'services', 'apps/server'].flatMap((folder) =>
    globSync(`${folder}/**/*.ts`, { cwd: root }),
  );
  for (const file of files) {
    if (/node_modules|\.test\.ts$|testing|fixture|contract\.ts$|fake\.ts$/.test(file)) continue;
    const text = readFileSync(path.join(root, file), 'utf8');
    const calls = new RegExp(`(?<![.\\w])(?<!function )(${Object.keys(constructors).join('|')})\\(`, 'g');
    for (const call of text.matchAll(calls)) {
      const [first = '', second = ''] = argumentsAt(text, call.index + call[0].length);
      const codes = [...first.matchAll(/'([a-z]+(?:_[a-z0-9]+)*)'/g)].map((match) => match[1] ?? '');
      if (codes.length === 0 && !handedOn.includes(first)) unreadable.push(`${file}: ${call[1]}(${first}`);
      const status = constructors[call[1] ?? ''] ?? (/^\d{3}$/.test(second) ? Number(second) : undefined);
      for (const code of codes) made.push({ code, status, file });
    }
  }
  return { made, unreadable };
}

/** The first two arguments of a call as they are written, up to a comma that is theirs. */
function argumentsAt(text: string, start: number): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = start;
  for (let i = start; i < text.length && found.length < 2; i += 1) {
    const sign = text[i] ?? '';
    if ('([{'.includes(sign)) depth += 1;
    const closes = ')]}'.includes(sign);
    if (depth === 0 && (sign === ',' || closes)) {
      found.push(text.slice(from, i).trim());
      from = i + 1;
      if (closes) break;
    } else if (closes) depth -= 1;
  }
  return found;
}

describe('stable error codes', () => {
  const { made, unreadable } = codesInSource();

  it('are all written out where they are made', () => {
    assert.deepEqual(unreadable, []);
  });

  it('are all in the catalogue, which is part of the API description', () => {
    const missing = made.filter(({ code }) => !(code in errorCodes));
    assert.deepEqual(
      missing.map(({ code, file }) => `${code} (${file})`),
      [],
      'A new code goes into apps/server/error-codes.ts.',
    );
  });

  it('do not vanish: programs wait for them', () => {
    const present = new Set(made.map(({ code }) => code));
    assert.deepEqual(
      Object.keys(errorCodes).filter((code) => !present.has(code)),
      [],
      'No code makes these any more.',
    );
  });

  it('keep their statuses', () => {
    const wrong = made.filter(
      ({ code, status }) => status !== undefined && errorCodes[code]?.includes(status) === false,
    );
    assert.deepEqual(
      wrong.map(({ code, status, file }) => `${code} is made with ${status} (${file})`),
      [],
    );
  });

  it('are found by this test', () => {
    assert.ok(made.length > 100 && made.some(({ code }) => code === 'app_exists'));
  });
});
