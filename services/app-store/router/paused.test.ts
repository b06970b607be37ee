import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  ada,
  appUrl,
  asAda,
  asBob,
  endpoint,
  platform,
  setUp,
  signedIn,
  tearDown,
  webSocket,
} from './test-world.ts';
import { Browser } from './testing.ts';

before(setUp);
after(tearDown);

/** An instance of Ada's that is paused while its old process still answers. */
async function pausedInstance(visibility: 'PRIVATE' | 'ALL_USERS' | 'PUBLIC') {
  const id = randomUUID();
  const { appEndpoint } = endpoint();
  await platform.setRoute({
    instanceId: id,
    owner: ada.subject,
    visibility,
    appTitle: 'Churn',
    status: 'SUSPENDED',
    reason: 'TimeLimit',
    message: 'Paused by itself after 8 hours.',
    since: '2026-01-02T18:05:00.000Z',
    appEndpoint,
    statusEndpoint: appEndpoint,
  });
  return { id, resume: `href="${platform.publicUrl}/instances/${id}?resume=1"` };
}

describe('visiting a paused instance', () => {
  test('its owner is told since when and why, and led to the portal to resume it', async () => {
    const { id, resume } = await pausedInstance('PRIVATE');
    const page = await (await asAda()).open(appUrl(id, '/deep?x=1'));
    assert.equal(page.status, 503);
    assert.match(page.body, /Churn is paused since 2 Jan 2026, 18:05 UTC/);
    assert.match(page.body, /Paused by itself after 8 hours\./);
    assert.ok(page.body.includes(resume));
    assert.match(page.body, />Resume</);
    assert.doesNotMatch(page.body, /<form|<script|http-equiv="refresh"/, 'looking changes nothing');
  });

  test('an administrator may resume what is shared, and everybody else is told who can', async () => {
    const { id, resume } = await pausedInstance('ALL_USERS');
    const root = await platform.addPerson('root', ['admin', 'user']);
    const page = await (await signedIn(root, 'root')).open(appUrl(id));
    assert.ok(page.body.includes(resume));
    const other = await (await asBob()).open(appUrl(id));
    assert.match(other.body, /Its owner can resume it/);
    assert.ok(!other.body.includes(resume));
  });

  test('who opens a PUBLIC one without signing in is unknown, and may be its owner', async () => {
    const { id, resume } = await pausedInstance('PUBLIC');
    const page = await new Browser(platform.port).open(appUrl(id));
    assert.match(page.body, /Its owner can resume it/);
    assert.match(page.body, />I am its owner</);
    assert.ok(page.body.includes(resume));
  });

  test('nothing reaches what is being stopped: programs are told, WebSockets are refused', async () => {
    const { id } = await pausedInstance('PRIVATE');
    const browser = await asAda();
    await browser.open(appUrl(id));
    const answer = await browser.fetch(appUrl(id), { headers: { accept: 'application/json' } });
    assert.equal(answer.status, 503);
    assert.equal((JSON.parse(answer.body) as { code: string }).code, 'app_not_running');
    const client = webSocket(id, browser);
    assert.match(await client.ended(), /^HTTP\/1\.1 503/);
    client.close();
  });

  test('who may not open it does not learn that it is paused', async () => {
    const { id } = await pausedInstance('PRIVATE');
    const page = await (await asBob()).open(appUrl(id));
    assert.equal(page.status, 404);
    assert.doesNotMatch(page.body, /Churn|paused/);
  });
});
