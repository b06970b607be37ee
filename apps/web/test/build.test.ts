import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { ensureBuilt } from './built-portal.ts';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const mantine = fileURLToPath(new URL('../../../node_modules/@mantine/core/styles/', import.meta.url));

const readAll = async (directory: string, suffix: string): Promise<string> => {
  const names = (await readdir(directory)).filter((name) => name.endsWith(suffix));
  return (await Promise.all(names.map((name) => readFile(directory + name, 'utf8')))).join('\n');
};

const classesIn = (text: string): Set<string> => new Set(text.match(/\bm_[0-9a-f]{5,8}\b/g));

before(ensureBuilt);

test('what the first page loads is at most 180 kB, compressed', async () => {
  const html = await readFile(`${dist}index.html`, 'utf8');
  const files = [...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map((match) => match[1] ?? '');
  assert.ok(files.some((file) => file.endsWith('.css')) && files.length >= 3, `found ${files.join(', ')}`);
  let total = gzipSync(html).length;
  for (const file of files) total += gzipSync(await readFile(dist + file), { level: 6 }).length;
  assert.ok(total <= 180_000, `The first page loads ${total} bytes.`);
});

test('every style of Mantine that the pages use is in the build', async () => {
  const inUse = classesIn(await readAll(`${dist}assets/`, '.js'));
  const provided = classesIn(await readAll(`${dist}assets/`, '.css'));
  const known = classesIn(await readAll(mantine, '.css'));
  const missing = [...inUse].filter((name) => known.has(name) && !provided.has(name));
  assert.deepEqual(missing, [], `Missing in src/mantine-styles.ts: ${missing.join(', ')}`);
});

test('index.html has no inline script or style, as the content security policy demands', async () => {
  const html = await readFile(`${dist}index.html`, 'utf8');
  assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)[^>]*>|<style|\son\w+=/i);
});
