import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deadline, until } from '@haic/kit/deadline.ts';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

/** Chromium as it is installed by the system; nothing it does by itself leaves the machine. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface BrowserProfile {
  readonly context: BrowserContext;
  page(): Promise<Page>;
  close(): Promise<void>;
}

/** A browser with a profile of its own: its cookies are shared with no other. */
export async function openBrowser(
  options: { readonly args?: readonly string[]; readonly ignoreHTTPSErrors?: boolean } = {},
): Promise<BrowserProfile> {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-browser-'));
  const context = await chromium.launchPersistentContext(directory, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: [...flags, ...(options.args ?? [])],
    ignoreHTTPSErrors: options.ignoreHTTPSErrors ?? false,
    viewport: { width: 1280, height: 800 },
  });
  context.setDefaultTimeout(20_000);
  return {
    context,
    page: () => context.newPage(),
    close: async () => {
      await context.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What a person sees now, for the words of a test that failed. */
export const seenOn = async (page: Page): Promise<string> =>
  `${page.url()} said: ${await page.locator('body').innerText({ timeout: 5_000 })}`;

/** Fills the sign-in page that is shown, as a person would. */
export async function fillSignIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Signs in at the portal and waits for the store. */
export async function signIn(page: Page, url: string, username: string, password: string): Promise<void> {
  await page.goto(`${url}/login?next=/`);
  await fillSignIn(page, username, password);
  await page.waitForURL(`${url}/**`);
  await page
    .getByRole('button', { name: new RegExp(username, 'i') })
    .or(page.getByRole('navigation'))
    .first()
    .waitFor();
}

/**
 * Waits until the JavaScript expression holds in the page. Asked from here: polled inside the page it would need eval, which the
 * portal's content security policy forbids.
 */
export async function holds(page: Page, expression: string, seconds = 10): Promise<void> {
  const ask = async () => ((await page.evaluate<boolean>(expression)) ? true : undefined);
  await until(ask, { everyMs: 50, signal: deadline(seconds * 1000) });
}
