import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { deadline, until } from '@haic/kit/deadline.ts';
import type { Page } from 'playwright-core';
import { type ApiInstance, callApi, waitForStatus } from '../support/api.ts';
import { signIn } from '../support/browser.ts';
import { askDrive, driveKeys, type TemporaryKeys } from '../support/drive.ts';
import { askAgainAndAgain, type Load, persistently } from './load.ts';
import { connectionsOf, kill, openTunnel, podCount, podsOf } from './pods.ts';
import { type Scene, terminate } from './scene.ts';

/** The router alone answers the first; core the other two, the issuer's after asking the database. */
const paths = ['/healthz', '/version', '/auth/realms/haic/.well-known/openid-configuration'];
const objectBytes = 1 << 20;

export function testReplicas(scene: () => Scene, values: Readonly<Record<string, unknown>>): void {
  describe('replicas', () => {
    it('lose one of each, killed, and nobody notices: requests, transfers, connections and sign-ins go on, and what was being started is started once', async (t) => {
      const { world, token, password, run, app, whoAmI, browser, releases } = scene();
      const { hostname } = new URL(world.url);
      const { id: appId } = await app('keeper');
      const { id } = await run('keeper');
      const { id: waveId } = await whoAmI();
      const keys = await driveKeys(world, await token());
      const opened = await browser();
      let load: Load | undefined;
      try {
        const page = await opened.page();
        await signIn(page, world.url, 'ada', password);
        await page.goto(`https://${waveId}.${hostname}/`);
        await page.getByText('ada', { exact: true }).first().waitFor({ timeout: 60_000 });
        const [carrier, survivor] = await routers();
        const tunnel = await openTunnel(survivor, hostname, `/instance/${id}/`, await token());
        assert.equal(await tunnel.echo('before'), 'before');

        const stored = new Map<string, string>();
        const bearer = await token();
        const asked = [...paths, `/instance/${id}/`].map((path) => () => get(path, bearer));
        load = askAgainAndAgain([...asked, () => store(keys, stored)]);
        const key = randomUUID();
        const start = () => startOnce(appId, bearer, key);
        const first = start().catch(() => undefined);
        const [core] = await podsOf(world, 'core');
        assert.ok(core);
        await Promise.all([kill(world, carrier), kill(world, core)]);
        const firstId = await first;
        // Whoever got no answer asks again by the same key; a start that its dead core still holds is waited for.
        const started = await persistently(start);
        if (firstId !== undefined) assert.equal(started, firstId);
        // For some seconds the ingress sends requests to the router that is gone, too, and answers by itself.
        const bearerNow = await token();
        await persistently(() => waitForStatus(world, bearerNow, started, 'DEPLOYED', 240));
        // Wave's own client has come back by itself, and what is done in its page is done, if need be at the second try.
        const carried = async () => ((await connections()) === 2 ? true : undefined);
        await until(carried, { everyMs: 200, signal: deadline(60_000) });
        await callInPage(page);
        assert.equal(await tunnel.echo('after'), 'after');
        tunnel.close();

        const found = await load.stop();
        t.diagnostic(`${found.asked} requests, ${found.retried} of them twice; ${stored.size} objects`);
        assert.deepEqual(found.failed, []);
        for (const [name, sha256] of stored) {
          const { bytes } = await askDrive(world, keys, 'GET', name);
          assert.equal(sha256Of(bytes), sha256, `${name} was acknowledged`);
        }
        const running = (await releases()).toSorted();
        assert.deepEqual(running, [id, started, waveId].map((each) => `app-${each}`).toSorted());
        await page.goto(`${world.url}/session`);
        assert.match((await page.textContent('body')) ?? '', /"username":"ada"/);
        await terminate(scene(), started);
      } finally {
        await load?.stop();
        await opened.close();
      }
    });

    it('are replaced by an upgrade while people work: each request is answered, if need be at the second try', async (t) => {
      const { world } = scene();
      const names = async () =>
        (await Promise.all(['router', 'core'].map((each) => podsOf(world, each))))
          .flat()
          .map(({ name }) => name);
      const before = await names();
      const load = askAgainAndAgain(paths.map((path) => () => get(path)));
      try {
        await world.install({
          ...values,
          'router.podAnnotations': { 'example.org/version': 'new' },
          'apps.pullPolicy': 'IfNotPresent',
        });
        for (const component of ['router', 'core'])
          await world.kubectl(
            ...[
              'rollout',
              'status',
              `deployment/${component}`,
              '--namespace',
              `${world.account}-${component}`,
            ],
            '--timeout=200s',
          );
      } finally {
        await load.stop();
      }
      const { asked, retried, failed } = await load.stop();
      const now = await names();
      assert.equal(now.length, 4);
      assert.deepEqual(
        now.filter((pod) => before.includes(pod)),
        [],
        'all of them are new',
      );
      t.diagnostic(`${asked} requests, ${retried} of them twice`);
      assert.deepEqual(failed, []);
      assert.ok(asked > 50, `${asked}`);
      const events = ['get', 'events', '--all-namespaces', '--field-selector', 'reason=FailedPreStopHook'];
      const untold = await world.kubectl(...events, '--output', 'jsonpath={.items[*].involvedObject.name}');
      assert.deepEqual(
        untold.split(' ').filter((pod) => before.includes(pod)),
        [],
        'each was told that it ends',
      );
    });

    it('give what runs the settings that were changed on the server, when an administrator redeploys it: with its volume, and as who it was', async () => {
      const { world, token, ask, inApps } = scene();
      const { body } = await callApi<{ items: (ApiInstance & { app: { name: string } })[] }>(
        ...([world, await token(), 'GET', '/api/v1/instances'] as const),
      );
      const id = body.items.find(({ app }) => app.name === 'keeper')?.id ?? '';
      assert.equal(await ask(id, { method: 'POST', body: 'kept' }), 'kept');
      const policy = () => read(id, '{.spec.template.spec.containers[0].imagePullPolicy}');
      const read = (name: string, path: string) =>
        inApps('get', `deployment/app-${name}`, '--output', `jsonpath=${path}`);
      const identity = () =>
        Promise.all(
          ['{.metadata.uid}', '{.metadata.labels}', '{.spec.template.spec.volumes}'].map((path) =>
            read(id, path),
          ),
        );
      const before = await identity();
      assert.equal(await policy(), 'Never');

      // A core that is being replaced answers with what it was started with, as long as it is asked.
      await until(async () => ((await podCount(world, 'core')) === 2 ? true : undefined), {
        everyMs: 500,
        signal: deadline(120_000),
      });
      await world.addUser('root', { roles: ['user', 'admin'] });
      const path = `/api/v1/instances/${id}/redeploy`;
      assert.equal((await callApi(world, await token(), 'POST', path)).status, 403);
      const answer = await callApi(world, await world.accessToken('root'), 'POST', path);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal(await policy(), 'IfNotPresent');
      await inApps('rollout', 'status', `deployment/app-${id}`, '--timeout=120s');
      await waitForStatus(world, await token(), id, 'DEPLOYED', 240);
      assert.equal(await ask(id), 'kept');
      assert.deepEqual(await identity(), before);
      await terminate(scene(), id);
    });

    /** First the one that the browser's only WebSocket goes through. */
    async function routers() {
      const look = async () => {
        const pods = await podsOf(scene().world, 'router');
        const counts = await Promise.all(pods.map(connectionsOf));
        const carrier = pods[counts.indexOf(1)];
        const survivor = pods[counts.indexOf(0)];
        return carrier === undefined || survivor === undefined ? undefined : ([carrier, survivor] as const);
      };
      return until(look, { everyMs: 200, signal: deadline(30_000) });
    }

    /**
     * waved has whoever comes back after five seconds load the page anew, which the ingress may send to what was just killed: then a person
     * does that.
     */
    async function callInPage(page: Page): Promise<void> {
      const press = async () => {
        await page.getByRole('button', { name: 'Call the platform as me' }).click({ timeout: 15_000 });
        await page.getByText('The platform answered').waitFor({ timeout: 15_000 });
      };
      await press().catch(async () => {
        await page.reload();
        await press();
      });
    }

    const connections = async (): Promise<number> => {
      const pods = await podsOf(scene().world, 'router');
      return (await Promise.all(pods.map(connectionsOf))).reduce((a, b) => a + b, 0);
    };

    async function get(path: string, token?: string): Promise<void> {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const answer = await fetch(`${scene().world.url}${path}`, {
        headers,
        signal: AbortSignal.timeout(15_000),
      });
      const text = await answer.text();
      assert.equal(answer.status, 200, `${path}: ${answer.status} ${text.slice(0, 200)}`);
    }

    async function store(keys: TemporaryKeys, stored: Map<string, string>): Promise<void> {
      const name = `/_my/killed/${stored.size}`;
      const bytes = randomBytes(objectBytes);
      const { status } = await askDrive(scene().world, keys, 'PUT', name, bytes);
      assert.equal(status, 200, name);
      stored.set(name, sha256Of(bytes));
    }

    async function startOnce(appId: string, token: string, key: string): Promise<string> {
      const answer = await fetch(`${scene().world.url}/api/v1/apps/${appId}/instances`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body: JSON.stringify({ visibility: 'PRIVATE' }),
        signal: AbortSignal.timeout(60_000),
      });
      const body = (await answer.json()) as ApiInstance;
      assert.equal(answer.status, 201, JSON.stringify(body));
      return body.id;
    }
  });
}

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
