import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import type { Page } from 'playwright-core';
import { bundleOf } from '../../faults/support.ts';
import type { BrowserProfile } from '../../support/browser.ts';
import {
  importAndRun,
  type KeycloakWorld,
  type PortalAnswer,
  portalApi,
  untilStatus,
  withBrowserOf,
} from '../world.ts';

/** "Within half a minute", as docs/keycloak.md promises where Haic may see who is disabled. */
const promised = 30_000;
/** "Within a minute and a half", where it may not and the person let an app act for them. */
const promisedByGrants = 90_000;
const isFull = process.env.HAIC_TEST_SIZE === 'full';

/** Keycloak tells nobody when somebody is disabled there: Haic asks. */
export function disabledPeople(world: () => KeycloakWorld): void {
  type Answer = PortalAnswer<{ code?: string; owner?: { username: string } }>;
  const handOver = (by: BrowserProfile, id: string, owner: string): Promise<Answer> =>
    portalApi(world(), by.context, 'PATCH', `/api/v1/instances/${id}`, { owner });
  const resume = (by: BrowserProfile, id: string): Promise<Answer> =>
    portalApi(world(), by.context, 'POST', `/api/v1/instances/${id}/resume`);
  const eventually = (what: () => Promise<boolean>, withinMs: number) =>
    until(async () => ((await what()) ? true : undefined), { everyMs: 250, signal: deadline(withinMs) });
  const isSignedOut = async ({ context }: BrowserProfile) => {
    const session = (await (await context.request.get(`${world().haic.url}/session`)).json()) as {
      signedIn: boolean;
    };
    return !session.signedIn;
  };
  /** Keycloak keeps the session of whom it disables: enabled again, they need no password. */
  const signInAgain = async (page: Page) => {
    await page.goto(`${world().haic.url}/login?next=/`);
    await page.getByRole('button', { name: /^Account of/ }).waitFor();
  };

  test('who is disabled there is signed out and what they run paused within half a minute; enabled again, they resume it', async () => {
    await withBrowserOf(world(), 'grace', async (grace, page) =>
      withBrowserOf(world(), 'root', async (root) => {
        const kept = await importAndRun(world(), grace.context, bundleOf({ name: 'kept' }), 'PRIVATE');
        const given = await importAndRun(world(), grace.context, bundleOf({ name: 'given' }), 'PRIVATE');
        assert.equal((await handOver(root, given.id, 'ada')).body.code, 'owner_active');

        try {
          const since = Date.now();
          await world().disable('grace');
          for (const { id } of [kept, given]) await untilStatus(world(), root.context, id, 'SUSPENDED');
          await eventually(() => isSignedOut(grace), promised);
          assert.ok(Date.now() - since < promised, `it took ${Date.now() - since} ms`);

          await eventually(async () => (await resume(root, kept.id)).body.code !== 'still_pausing', promised);
          assert.equal((await resume(root, kept.id)).body.code, 'owner_unavailable');
          assert.equal((await handOver(root, given.id, 'root')).body.owner?.username, 'root');
        } finally {
          await world().enable('grace');
        }
        await signInAgain(page);
        await eventually(async () => (await resume(grace, kept.id)).status < 300, promised);
        await untilStatus(world(), grace.context, kept.id, 'DEPLOYED');
      }),
    );
  });

  // Minutes of waiting.
  if (!isFull) return;
  test('where Haic may not see who is disabled, a grant tells of those who gave one, and nothing is guessed of others', async () => {
    await setMaySeePeople(world(), false);
    try {
      await withBrowserOf(world(), 'grace', async (grace, page) =>
        withBrowserOf(world(), 'root', async (root) =>
          withBrowserOf(world(), 'ada', async (ada) => {
            const acting = await importAndRun(world(), grace.context, bundleOf({ name: 'acts' }), 'PRIVATE');
            const unopened = await importAndRun(world(), ada.context, bundleOf({ name: 'rests' }), 'PRIVATE');
            await page.goto(`${acting.url}token`);
            assert.match(await page.locator('body').innerText(), /"granted": ?true/);
            // What was learnt of them while Haic could see it is old then.
            await new Promise((resolve) => setTimeout(resolve, 6_000));
            for (const name of ['grace', 'ada']) await world().disable(name);
            const since = Date.now();
            await untilStatus(world(), root.context, acting.id, 'SUSPENDED');
            assert.ok(Date.now() - since < promisedByGrants, `it took ${Date.now() - since} ms`);
            assert.equal((await handOver(root, acting.id, 'root')).body.owner?.username, 'root');

            const still = await portalApi<{ status: string }>(
              world(),
              root.context,
              'GET',
              `/api/v1/instances/${unopened.id}`,
            );
            assert.equal(still.body.status, 'DEPLOYED');
            assert.equal((await handOver(root, unopened.id, 'root')).body.code, 'owner_standing_unknown');
          }),
        ),
      );
    } finally {
      await setMaySeePeople(world(), true);
      for (const name of ['grace', 'ada']) await world().enable(name);
    }
  });
}

/** The role that docs/keycloak.md calls optional. */
async function setMaySeePeople({ keycloak }: KeycloakWorld, may: boolean): Promise<void> {
  const clientNamed = async (clientId: string) => {
    const [found] = await keycloak.admin<{ id: string }[]>('GET', 'haic', `/clients?clientId=${clientId}`);
    return found?.id ?? '';
  };
  const core = await clientNamed('haic-service-core');
  const management = await clientNamed('realm-management');
  const account = await keycloak.admin<{ id: string }>(
    'GET',
    'haic',
    `/clients/${core}/service-account-user`,
  );
  const role = await keycloak.admin('GET', 'haic', `/clients/${management}/roles/view-users`);
  const mappings = `/users/${account.id}/role-mappings/clients/${management}`;
  await keycloak.admin(may ? 'POST' : 'DELETE', 'haic', mappings, [role]);
}
