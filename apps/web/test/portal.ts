import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { StandIn } from '../dev/stand-in/stand-in.ts';
import { browserOptions } from './browser.ts';
import { ensureBuilt } from './built-portal.ts';

export interface Portal extends AsyncDisposable {
  readonly standIn: StandIn;
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page complained about: uncaught errors, and what the content security policy refused. */
  readonly complaints: string[];
}

/**
 * One browser for all tests of a file; each test has a stand-in and a profile of its own. Started by the first test: a file whose
 * tests are all filtered out runs no `after` hook, and must not leave a browser behind.
 */
export function startBrowser() {
  let launched: Promise<Browser> | undefined;
  const launch = async (): Promise<Browser> => {
    await ensureBuilt();
    return chromium.launch(browserOptions);
  };
  return {
    open: async (options?: Parameters<Browser['newContext']>[0]) => {
      launched ??= launch();
      return openPortal(await launched, options);
    },
    close: async () => (await launched)?.close(),
  };
}

async function openPortal(
  browser: Browser,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<Portal> {
  const standIn = await new StandIn().start();
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) complaints.push(message.text());
  });
  return {
    standIn,
    page,
    context,
    complaints,
    async [Symbol.asyncDispose]() {
      await context.close();
      await standIn.stop();
    },
  };
}

export function sampleNamed(standIn: StandIn, name: string) {
  const app = standIn.apps.find((candidate) => candidate.name === name);
  if (app === undefined) throw new Error(`The stand-in has no app ${name}.`);
  return app;
}
