import assert from 'node:assert/strict';
import { readFile, rm, symlink } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { base64, startTestSecrets, type TestSecrets } from './testing.ts';

const team = 'workspaces/team/secrets';

describe('when something fails under the secure store', () => {
  let world: TestSecrets;
  before(async () => {
    world = await startTestSecrets();
    world.workspaces.roles.set('workspaces/team', { ada: 'editor' });
    await world.call('ada', 'POST', `${team}?secretId=kept`, {});
    await world.call('ada', 'POST', `${team}/kept/versions`, { value: base64('kept') });
  });
  after(() => world?.stop());

  it('a disk that is full keeps a rotation from beginning, and the keys as they are', async () => {
    const before = await world.secrets.rotation.status();
    // Whatever is written there meets a full disk.
    await symlink('/dev/full', `${world.keyFile}.new`);
    await assert.rejects(world.secrets.rotation.begin(), { code: 'insufficient_storage' });
    await rm(`${world.keyFile}.new`);
    assert.deepEqual(await world.secrets.rotation.status(), before);
    await assert.rejects(readFile(world.keyFile), { code: 'ENOENT' });
    const revealed = await world.call('ada', 'GET', `${team}/kept/versions/latest:revealValue`);
    assert.equal(revealed.body.value, base64('kept'));
    assert.notEqual((await world.secrets.rotation.begin()).current, before.current);
  });

  it('a sealed value that was damaged is an error that tells nothing, and the others are well', async () => {
    await world.call('ada', 'POST', `${team}?secretId=damaged`, {});
    await world.call('ada', 'POST', `${team}/damaged/versions`, { value: base64('damaged value') });
    await world.database.sql`
      update secrets.version_values set sealed = set_byte(sealed, length(sealed) - 1, get_byte(sealed, length(sealed) - 1) # 1)
      where version in (select v.uid from secrets.versions v join secrets.secrets s on s.uid = v.secret where s.id = 'damaged')`;
    const answer = await world.call('ada', 'GET', `${team}/damaged/versions/latest:revealValue`);
    assert.deepEqual([answer.status, answer.body.code], [500, 13]);
    assert.equal(answer.body.message, 'Something went wrong inside Haic. Its log says more.');
    assert.equal((await world.call('ada', 'GET', `${team}/kept/versions/latest:revealValue`)).status, 200);
  });
});
