import type { LaunchOptions } from 'playwright-core';

/** The system's Chromium, without a sandbox of its own (tests may run as root) and without talking to anybody. */
export const browserOptions: LaunchOptions = {
  executablePath: process.env.HAIC_CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-quic',
    '--disable-gpu',
  ],
};
