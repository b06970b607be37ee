import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workloadNameOf } from './model.ts';
import { appId, exampleApp, pause, people, startTestScheduler } from './testing.ts';

const { author, other, owner } = people;
const visit = `/api/v1/apps/${appId}/visit`;
const managed = exampleApp({ manifest: { lifecycle: 'MANAGED' } });

test('a visit of a managed app leads to the newest instance that the visitor may open', async () => {
  await using t = await startTestScheduler({ app: managed });
  const where = async (who: typeof other) => {
    const answer = await t.as(who, visit, { redirect: 'manual' });
    assert.equal(answer.status, 303);
    return answer.headers.get('location');
  };
  const page = `http://localhost:8080/apps/${appId}?visit=none`;
  assert.equal(await where(other), page, 'nothing runs: the page of the app says so');

  const first = await t.run(author, { visibility: 'ALL_USERS' });
  assert.equal(await where(other), `http://${first}.localhost:8080/`, 'its start can be watched');
  const isReady = { phase: 'Ready' } as const;
  t.runtime.become(workloadNameOf(first), isReady);
  await t.run(author, { visibility: 'ALL_USERS' });
  assert.equal(await where(other), `http://${first}.localhost:8080/`, 'what runs goes before what starts');
  const hidden = await t.run(author);
  t.runtime.become(workloadNameOf(hidden), isReady);
  assert.equal(await where(owner), `http://${first}.localhost:8080/`, 'PRIVATE ones are their owner’s');
  assert.equal(await where(author), `http://${hidden}.localhost:8080/`);
});

test('paused instances are not led to', async () => {
  await using t = await startTestScheduler({ app: managed });
  const id = await t.run(author, { visibility: 'ALL_USERS' });
  await pause(t, id);
  const answer = await t.as(other, visit, { redirect: 'manual' });
  assert.match(answer.headers.get('location') ?? '', /visit=none$/);
});
