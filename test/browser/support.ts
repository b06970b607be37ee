import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { makeZip } from '@haic/launcher/testing/zip.ts';
import type { Page } from 'playwright-core';
import { holds } from '../support/browser.ts';

/** Where pictures of pages go, for people who look at them; without it none are made. */
const pictures = process.env.HAIC_TEST_SCREENSHOTS;

/** Pictures of a page as it is now: wide and narrow, light and dark. Leaves it wide and light. */
export async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return;
  await mkdir(pictures, { recursive: true });
  // Icons and pictures, too. Streams of events never end, so this is no "networkidle".
  await holds(page, '[...document.images].every((image) => image.complete)');
  for (const [width, what] of [
    [1280, 'wide'],
    [360, 'narrow'],
  ] as const) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.screenshot({
        path: path.join(pictures, `${name}-${what}-${colorScheme}.png`),
        fullPage: true,
      });
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: 'light' });
}

const manifest = (name: string, runtime: readonly string[]): string =>
  ['[App]', `Name = "${name}"`, 'Version = "1.0.0"', `Title = "${name}"`, '[Runtime]', ...runtime, ''].join(
    '\n',
  );

/** An app that fails as the most common one does: by importing what is not there. */
export const crashingBundle = (): Buffer =>
  makeZip([
    { name: 'app.toml', content: manifest('crashing', ['Module = "crashing"', 'AppMode = "python"']) },
    {
      name: 'crashing.py',
      content: 'print("about to import", flush=True)\nimport a_package_that_nobody_has\n',
    },
  ]);

/** Several things are wrong with it, to be said all at once. */
export const brokenBundle = (): Buffer =>
  makeZip([
    {
      name: 'app.toml',
      content: '[App]\nName = "bro ken"\nVersion = "one"\n[Runtime]\nMemoryLimit = "1e99Gi"\n',
    },
  ]);
