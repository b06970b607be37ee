import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import { type ApiInstance, callApi, instanceLog, waitForStatus } from '../support/api.ts';
import { signIn } from '../support/browser.ts';
import { askDrive, driveKeys, driveStatus } from '../support/drive.ts';
import { podsOfInstance, type Scene, terminate } from './scene.ts';

/** What people are promised for what somebody does by hand. */
const promisedMs = 10_000;

export function testApps(scene: () => Scene): void {
  describe('apps', () => {
    const statusOf = async (id: string) => {
      const { world, token } = scene();
      return callApi<ApiInstance>(world, await token(), 'GET', `/api/v1/instances/${id}`);
    };

    it('runs "who am I?" as a release, and shows its owner who they are through the front door', async () => {
      const { world, token, password, releases, whoAmI, browser } = scene();
      const { id } = await whoAmI();
      assert.ok((await releases()).includes(`app-${id}`));
      assert.match(await instanceLog(world, await token(), id), /makes its environment itself/);

      const { hostname } = new URL(world.url);
      const opened = await browser();
      try {
        const page = await opened.page();
        await signIn(page, world.url, 'ada', password);
        await page.goto(`https://${id}.${hostname}/`);
        await page.getByText('ada', { exact: true }).first().waitFor({ timeout: 60_000 });
        // By the token endpoint of its launcher, and the one name under which browsers and pods reach the platform.
        await page.getByRole('button', { name: 'Call the platform as me' }).click();
        await page.getByText('The platform answered').waitFor();
      } finally {
        await opened.close();
      }
    });

    it('pauses an app and wakes it up with what it kept; nothing of it is left when it is terminated', async () => {
      const { world, token, run, ask, inApps } = scene();
      const { id } = await run('keeper');
      assert.equal(await ask(id, { method: 'POST', body: 'a note' }), 'a note');

      const told = (verb: string) =>
        token().then((t) => callApi(world, t, 'POST', `/api/v1/instances/${id}/${verb}`));
      assert.equal((await told('suspend')).status, 200);
      await waitForStatus(world, await token(), id, 'SUSPENDED');
      // Its process is given the time to end that it was promised.
      const reason = async () => (await statusOf(id)).body.reason;
      const ended = async () => ((await reason()) === 'Pausing' ? undefined : true);
      await until(ended, { everyMs: 200, signal: deadline(120_000) });
      const pods = () => inApps('get', 'pods', ...podsOfInstance(id), '--output', 'name');
      // What has ended is removed a moment later.
      const gone = async () => ((await pods()) === '' ? true : undefined);
      await until(gone, { everyMs: 200, signal: deadline(30_000) });
      assert.equal((await told('resume')).status, 200);
      await waitForStatus(world, await token(), id, 'DEPLOYED', 240);
      assert.match(await pods(), /^pod\/\S+\n$/);
      assert.equal(await ask(id), 'a note');

      await terminate(scene(), id);
      const left = await inApps('get', 'deployments,services,persistentvolumeclaims', '--output', 'name');
      assert.ok(!left.includes(id), left);
    });

    it('shows within ten seconds what was changed past it, by helm or kubectl', async () => {
      const { world, token, run, inApps } = scene();
      const { id } = await run('keeper');
      await inApps('scale', `deployment/app-${id}`, '--replicas', '0');
      await soon('SUSPENDED', async () => (await statusOf(id)).body.status);
      await inApps('scale', `deployment/app-${id}`, '--replicas', '1');
      await waitForStatus(world, await token(), id, 'DEPLOYED', 240);

      await world.helm('--namespace', `${world.account}-apps`, 'uninstall', `app-${id}`);
      await soon(404, async () => (await statusOf(id)).status);
      const answer = await fetch(`${world.url}/instance/${id}/`, {
        headers: { authorization: `Bearer ${await token()}` },
      });
      assert.equal(answer.status, 404);
    });

    it('shows in the portal what an S3 client brought to Drive, which is on a volume of its own', async () => {
      const { world, token } = scene();
      const keys = await driveKeys(world, await token());
      assert.equal(await driveStatus(world, keys, 'PUT', '/_my/reports/june', 'by S3'), 200);
      const entries = await callApi<{ items: { key: string }[] }>(
        ...([world, await token(), 'GET', '/api/v1/drive/buckets/_my/entries?prefix=reports/'] as const),
      );
      assert.deepEqual(
        entries.body.items.map(({ key }) => key),
        ['reports/june'],
      );
      assert.equal((await askDrive(world, keys, 'GET', '/_my/reports/june')).bytes.toString(), 'by S3');
    });

    async function soon<T>(wanted: T, look: () => Promise<T>): Promise<void> {
      let last: T | undefined;
      const seen = async () => {
        last = await look();
        return last === wanted ? true : undefined;
      };
      await until(seen, { everyMs: 100, signal: deadline(promisedMs) }).catch(() =>
        assert.equal(last, wanted),
      );
    }
  });
}
