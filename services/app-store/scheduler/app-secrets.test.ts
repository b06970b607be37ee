import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLauncherConfig } from '@haic/launcher/config.ts';
import { connectStore, StoreRefusal } from '@haic/launcher/store.ts';
import { workloadNameOf } from './model.ts';
import { exampleApp, people, startTestScheduler, viaApp } from './testing.ts';

const secret = (key: string, optional = false) => ({ kind: 'secret', secret: 'db', key, optional }) as const;
const app = exampleApp({
  manifest: {
    env: [
      { name: 'PASSWORD', from: secret('password') },
      { name: 'EXTRA', from: secret('extra', true) },
      { name: 'MODE', from: { kind: 'literal', value: 'x' } },
    ],
    files: [{ path: 'conf/key', from: secret('key') }],
  },
});
const signal = AbortSignal.timeout(30_000);

/** An instance that is starting, and the store as its launcher asks it. */
async function starting() {
  const t = await startTestScheduler({ app });
  t.secrets.kept.set('db/password', 'canary-1');
  t.secrets.kept.set('db/key', Buffer.of(0, 255, 10));
  const id = await t.run(people.owner);
  const name = workloadNameOf(id);
  const text = t.runtime.specOf(name)?.template.secret['instance.json'] ?? '';
  const store = connectStore({ ...parseLauncherConfig(text), storeUrl: t.url });
  t.runtime.become(name, { phase: 'Running', startedAt: new Date().toISOString() });
  return { t, id, name, store };
}

test('a start gets the values as they are then, for its instance alone', async () => {
  const { t, id, name, store } = await starting();
  await using _ = t;
  assert.deepEqual(await store.requestSecrets({ signal }), {
    env: [{ name: 'PASSWORD', value: 'canary-1' }],
    files: [{ path: 'conf/key', base64: 'AP8K' }],
  });
  const [use] = t.secrets.uses;
  assert.equal(use?.instanceId, id);
  assert.equal(use?.user.subject, people.owner.subject);
  assert.deepEqual(
    [use?.app.importer.subject, use?.app.isImporters, use?.app.importer.roles],
    [people.author.subject, true, ['user']],
  );
  assert.doesNotMatch(JSON.stringify(t.runtime.specOf(name)), /canary/);

  t.secrets.kept.set('db/password', 'canary-2');
  t.secrets.kept.set('db/extra', 'more');
  assert.deepEqual((await store.requestSecrets({ signal })).env, [
    { name: 'PASSWORD', value: 'canary-2' },
    { name: 'EXTRA', value: 'more' },
  ]);

  const path = `/api/launcher/v1/instances/${id}/secrets`;
  for (const who of [undefined, people.owner, people.admin, people.core, viaApp(people.owner, id)])
    assert.equal((await t.as(who, path, { method: 'POST' })).status, 401);
});

test('nothing is given to what does not start', async () => {
  const { t, name, store } = await starting();
  await using _ = t;
  for (const phase of ['Ready', 'BackOff', 'Failed', 'Terminating'] as const) {
    t.runtime.become(name, { phase });
    await assert.rejects(store.requestSecrets({ signal }), /Only an instance that starts/, phase);
  }
  await t.runtime.patch(name, { replicas: 0 }, { signal });
  await assert.rejects(store.requestSecrets({ signal }), /Only an instance that starts/);
  assert.equal(t.secrets.uses.length, 0);
});

test('what is gone meanwhile, or cannot be a variable, is refused for good and in plain words', async () => {
  const { t, store } = await starting();
  await using _ = t;
  const refusal = async (pattern: RegExp) =>
    assert.rejects(store.requestSecrets({ signal }), (error) => {
      assert.ok(error instanceof StoreRefusal);
      assert.match(error.message, pattern);
      assert.doesNotMatch(error.message, /canary/);
      return true;
    });
  t.secrets.kept.delete('db/key');
  await refusal(/Hello gets no secrets\. For the file conf\/key: There is no key "key"/);
  t.secrets.kept.set('db/key', 'k');
  for (const value of [Buffer.of(0xff), 'canary\0', 'x'.repeat(130_000)]) {
    t.secrets.kept.set('db/password', value);
    await refusal(/variable PASSWORD is no text, or too long.*\[\[File\]\]/);
  }
  t.secrets.kept.set('db/password', '');
  assert.deepEqual((await store.requestSecrets({ signal })).env, [{ name: 'PASSWORD', value: '' }]);

  t.secrets.down = new Error('canary');
  await assert.rejects(store.requestSecrets({ signal }), (error) => !(error instanceof StoreRefusal));
});
