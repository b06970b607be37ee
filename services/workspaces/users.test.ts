import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestWorkspaces, type TestWorkspaces, tokenOf } from './testing.ts';

describe('users, as the clients of MLOps ask for them', () => {
  let world: TestWorkspaces;
  before(async () => {
    world = await startTestWorkspaces();
    world.addPerson('gone', true);
  });
  after(() => world.stop());

  it('are oneself by a header, beside a body that is JSON', async () => {
    const { status, headers, json } = await world.call('GET', '/mlops/me', tokenOf('ada'));
    assert.deepEqual([status, headers.get('x-user-id')], [200, 'sub-ada']);
    assert.deepEqual(json, { name: 'users/sub-ada' });
  });

  it('are answered with every field, the one who signs in by its name', async () => {
    const { json } = await world.call('GET', '/v1/users/sub-ada', tokenOf('ada'));
    assert.deepEqual(json, {
      user: {
        ...{ name: 'users/sub-ada', displayName: 'ada of the firm', active: true },
        ...{ emails: [{ address: 'ada@example.com' }], loginPrincipal: 'ada' },
      },
    });
    const other = await world.call('GET', '/v1/users/sub-gone', tokenOf('ada'));
    assert.deepEqual([other.json.user.active, other.json.user.emails], [false, []]);
  });

  it('that are none are not found', async () => {
    const { status, json } = await world.call('GET', '/v1/users/nobody', tokenOf('ada'));
    assert.deepEqual([status, json.code], [404, 5]);
  });
});
