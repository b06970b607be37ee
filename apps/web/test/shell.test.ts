import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { StandIn } from '../dev/stand-in/stand-in.ts';
import { lowContrast } from './contrast.ts';
import { sampleNamed, startBrowser } from './portal.ts';

const browser = startBrowser();
after(() => browser.close());

// Most of a test is waiting, so several run at once.
describe('The shell', { concurrency: 4 }, () => {
  /** Every page, with what tells that it is complete. */
  async function everyPage(
    standIn: StandIn,
  ): Promise<readonly (readonly [string, (page: Page) => Promise<unknown>])[]> {
    standIn.stageMilliseconds = 2;
    const ready = standIn.run(sampleNamed(standIn, 'ai.h2o.churn'), 'PRIVATE');
    const failed = standIn.run(sampleNamed(standIn, 'ai.h2o.broken'), 'ALL_USERS');
    return [
      ['/', (page) => page.getByRole('link', { name: 'Churn explorer' }).waitFor()],
      ['/?q=zzz', (page) => page.getByText('Nothing found for').waitFor()],
      ['/my-apps', (page) => page.getByRole('link', { name: 'Who am I' }).waitFor()],
      ['/import', (page) => page.getByText('Drop a .wave file here').waitFor()],
      [`/apps/${ready.data.app.id}`, (page) => page.getByText('Do not follow this').waitFor()],
      [`/instances/${ready.data.id}`, (page) => page.getByText('listening').waitFor()],
      [`/instances/${failed.data.id}`, (page) => page.getByText('The app imports').waitFor()],
      ['/instances', (page) => page.getByText('Broken on purpose').waitFor()],
      ['/drive', (page) => page.getByRole('button', { name: 'readme.txt', exact: true }).waitFor()],
      ['/cli-and-api-access', (page) => page.getByText('h2o_discovery.discover').waitFor()],
      ['/auth/get-platform-token', (page) => page.getByTestId('token').waitFor()],
      ['/account/tokens', (page) => page.getByText('this one').waitFor()],
      ['/admin/people', (page) => page.getByRole('link', { name: 'Grace Hopper' }).waitFor()],
      ['/admin/people/grace.hopper/account', (page) => page.getByText('Platform token').waitFor()],
      ['/nowhere', (page) => page.getByRole('heading', { name: 'Not found' }).waitFor()],
    ];
  }

  test('all text of every page has the contrast of AA, light and dark', async () => {
    await using portal = await browser.open({ reducedMotion: 'reduce' });
    const { page, standIn } = portal;
    for (const [path, complete] of await everyPage(standIn)) {
      await page.goto(standIn.url + path);
      await complete(page);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.waitForFunction(
          (wanted) => document.documentElement.dataset.mantineColorScheme === wanted,
          colorScheme,
        );
        assert.deepEqual(await page.evaluate(lowContrast), [], `${path}, ${colorScheme}`);
      }
    }
    assert.deepEqual(portal.complaints, []);
  });

  test('no page scrolls sideways at 360 px, and the navigation opens from its button', async () => {
    await using portal = await browser.open({ viewport: { width: 360, height: 740 }, hasTouch: true });
    const { page, standIn } = portal;
    for (const [path, complete] of await everyPage(standIn)) {
      await page.goto(standIn.url + path);
      await complete(page);
      const wide = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth,
      ]);
      assert.equal(wide[0], wide[1], `${path} is wider than the screen`);
    }
    await page.getByRole('button', { name: 'Open navigation' }).click();
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'My instances' }).click();
    await page.getByRole('heading', { name: 'My instances' }).waitFor();
    await page.getByRole('button', { name: 'Open navigation' }).waitFor();
  });

  test('with the keyboard alone: skip the navigation, find an app, run it, open it', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const focused = () =>
      page.evaluate(() => {
        const element = document.activeElement;
        return element?.getAttribute('aria-label') ?? element?.textContent?.trim() ?? '';
      });
    const tabTo = async (name: string | RegExp, most = 40): Promise<void> => {
      const seen: string[] = [];
      for (let presses = 0; presses < most; presses += 1) {
        await page.keyboard.press('Tab');
        const now = await focused();
        seen.push(now);
        if (typeof name === 'string' ? now === name : name.test(now)) {
          const outline = await page.evaluate(() => {
            const element = document.activeElement;
            if (element === null) return '';
            return getComputedStyle(element.closest('.card') ?? element).outlineStyle;
          });
          assert.equal(outline, 'solid', `The focus on “${now}” cannot be seen.`);
          return;
        }
      }
      assert.fail(`Tab does not reach “${name}”, only: ${seen.join(' | ')}`);
    };

    await page.goto(standIn.url);
    await page.getByRole('link', { name: 'Hello' }).waitFor();
    await tabTo('Skip to content', 1);
    await page.keyboard.press('Enter');
    await tabTo('Search apps');
    await page.keyboard.type('smallest');
    await page.waitForFunction(() => document.querySelectorAll('article').length === 1);
    await tabTo('Hello');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Hello', level: 1 }).waitFor();
    await tabTo('Run');
    await page.keyboard.press('Enter');
    // The dialog puts the focus on its own Run.
    await page.waitForFunction(() => document.activeElement?.closest('[role=dialog]') !== null);
    assert.equal(await focused(), 'Run');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'This is Hello' }).waitFor();
  });

  test('Ctrl K searches apps, instances and pages', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(standIn.url);
    await page.getByRole('link', { name: 'Hello' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('Apps, instances, pages').fill('who am');
    await page.getByText('Shows your name, roles and groups').last().waitFor();
    await page.waitForFunction(() => document.querySelectorAll('.mantine-Spotlight-action').length === 1);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Who am I', level: 1 }).waitFor();
  });

  test('nothing moves while the store loads', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.me = { ...standIn.me, isolation: { ...standIn.me.isolation, missing: [] } };
    await page.addInitScript(() => {
      const state = window as unknown as { shift: number }; // a place for the test to read from
      state.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) state.shift += (entry as unknown as { value: number }).value; // not yet in lib.dom
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await page.goto(standIn.url);
    await page.getByRole('link', { name: 'Hello' }).waitFor();
    await page.getByRole('link', { name: 'Import an app' }).waitFor();
    assert.ok((await page.evaluate(() => (window as unknown as { shift: number }).shift)) < 0.1);
  });

  test('who is not signed in is offered the way there and back, also when the session ends under way', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.signedIn = false;
    await page.goto(`${standIn.url}/instances?q=hello`);
    const signIn = page.getByRole('link', { name: 'Sign in' });
    assert.equal(await signIn.getAttribute('href'), '/login?next=%2Finstances%3Fq%3Dhello');
    await signIn.click();
    await page.getByRole('heading', { name: 'My instances' }).waitFor();
    assert.match(page.url(), /\/instances\?q=hello$/);

    standIn.signedIn = false;
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
    assert.equal(await signIn.getAttribute('href'), '/login?next=%2Finstances%3Fq%3Dhello');
  });

  test('a platform that is away is said to be, and the page goes on by itself when it is back', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/instances`);
    await page.getByText('You run nothing just now').waitFor();
    standIn.down = true;
    const banner = page.getByText('The platform does not answer just now');
    await banner.waitFor();
    standIn.run(sampleNamed(standIn, 'ai.h2o.hello'), 'PRIVATE');
    standIn.down = false;
    await banner.waitFor({ state: 'hidden' });
    await page.getByRole('table').getByText('Hello').waitFor();
  });

  test('the first load waits for a platform that is starting', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.down = true;
    await page.goto(standIn.url);
    await page.getByText('The platform does not answer just now').waitFor();
    standIn.down = false;
    await page.getByRole('link', { name: 'Hello' }).waitFor();
  });

  test('a platform token is read once, masked at first, and kept nowhere', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/cli-and-api-access`);
    await page.getByRole('link', { name: 'Get a platform token' }).click();
    const token = page.getByTestId('token');
    assert.match(await token.innerText(), /^•+$/);
    await page.getByRole('button', { name: 'Show' }).click();
    assert.match(await token.innerText(), /^one-time-platform-x+$/);
    assert.doesNotMatch(page.url(), /token=/);
    assert.doesNotMatch(
      await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }])),
      /one-time/,
    );
    await page.reload();
    await page.getByRole('heading', { name: 'Addresses' }).waitFor();
    assert.equal(await token.count(), 0);
  });

  test('the command line is offered with its checksum, for the system that one picks', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(`${standIn.url}/cli-and-api-access`);
    const download = page.getByRole('link', { name: 'Download h2o 0.1.0' });
    assert.equal(await download.getAttribute('href'), '/cli/h2o');
    await page.getByText(`curl -fsSL ${standIn.url}/cli/h2o -o h2o`).waitFor();
    await page.getByText(`${'5f'.repeat(32)}  h2o`).waitFor();
    await page.getByRole('radiogroup', { name: 'Operating system' }).getByText('Windows').click();
    await page.getByText(`Invoke-WebRequest ${standIn.url}/cli/h2o`).waitFor();
    await page.getByText('.\\h2o config setup').waitFor();
  });

  test('the notice on isolation is dismissed for good, and back when it says something new', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    await page.goto(standIn.url);
    await page.getByText('All apps share one kernel').waitFor();
    await page.getByRole('button', { name: 'Dismiss this notice' }).click();
    await page.reload();
    await page.getByRole('link', { name: 'Hello' }).waitFor();
    assert.equal(await page.getByText('All apps share one kernel').count(), 0);
    standIn.me = {
      ...standIn.me,
      isolation: {
        ...standIn.me.isolation,
        missing: [{ what: 'No memory limit is kept.', remedy: 'Start Haic as root.' }],
      },
    };
    await page.reload();
    await page.getByText('No memory limit is kept.').waitFor();
  });

  test('what is wrong with what apps run on is said until it is well again', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    const trouble = { what: 'The Kubernetes API server has not answered.', remedy: 'What runs goes on.' };
    const { me } = standIn;
    standIn.me = { ...me, isolation: { ...me.isolation, trouble } };
    await page.goto(standIn.url);
    const notice = page.getByText('The Kubernetes API server has not answered. What runs goes on.');
    await notice.waitFor();
    standIn.me = me;
    await notice.waitFor({ state: 'detached' });
  });

  test('the account menu tells who one is, switches the colours, leads to the password page and signs out', async () => {
    await using portal = await browser.open({ colorScheme: 'light' });
    const { page, standIn } = portal;
    await page.goto(standIn.url);
    await page.getByRole('button', { name: 'Account of Ada Lovelace' }).click();
    await page.getByText('admin', { exact: true }).waitFor();
    const password = page.getByRole('menuitem', { name: 'Change password' });
    assert.equal(await password.getAttribute('href'), `${standIn.url}/auth/realms/haic/account`);
    await page.getByText('Dark', { exact: true }).click();
    await page.waitForFunction(() => document.documentElement.dataset.mantineColorScheme === 'dark');
    await page.reload();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.mantineColorScheme), 'dark');
    await page.getByRole('button', { name: 'Account of Ada Lovelace' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Sign in' }).waitFor();
    assert.equal(standIn.signedIn, false);
  });

  test('a visitor is offered neither import nor own apps', async () => {
    await using portal = await browser.open();
    const { page, standIn } = portal;
    standIn.me = { ...standIn.me, roles: ['visitor'], isAdmin: false, fullAccess: false };
    await page.goto(standIn.url);
    await page.getByRole('link', { name: 'Hello' }).waitFor();
    await page
      .getByRole('navigation', { name: 'Main' })
      .getByRole('link', { name: 'My apps' })
      .waitFor({ state: 'detached' });
    assert.equal(await page.getByRole('link', { name: 'Import an app' }).count(), 0);
  });
});
