import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { execute, type Haic, startHaic } from '../support/haic.ts';
import { pythonWith } from '../support/python.ts';

const script = path.join(import.meta.dirname, 'mlops_workspaces.py');

describe('the official h2o-mlops', () => {
  let haic: Haic;
  let python: string;

  before(async () => {
    python = await pythonWith(['h2o-mlops==1.6.4']);
    haic = await startHaic();
    await haic.addUser('ada', { name: 'Ada Lovelace' });
    await haic.addUser('bob');
  });
  after(() => haic?.stop());

  it('connects, and works with workspaces and users', async () => {
    const token = (await haic.run(['token', '--user', 'ada'])).trim();
    const env = { PATH: '/usr/bin:/bin', TEST_URL: haic.url, H2O_CLOUD_CLIENT_PLATFORM_TOKEN: token };
    assert.deepEqual(JSON.parse(await execute(python, [script, 'bob'], env)), {
      me: ['ada', 'Ada Lovelace', null],
      'me again': 'ada',
      users: ['ada', 'admin', 'bob'],
      // Whose e-mail addresses are no concern of hers.
      colleague: [['bob', null]],
      created: ['Fraud', 'Of the bank', { team: 'red' }, 'ada'],
      got: 'Fraud',
      'by name': [true],
      // Her own, the global one and those two.
      count: [4, 1, 4],
      // Her own was made when she first listed what she has.
      since: ['Personal workspace of ada', "o'brien's churn", 'Fraud'],
      updated: ['Fraud 2', '', { own: '1' }, 'ada'],
      'read back': ['', { own: '1' }],
      reserved: { own: '1', 'mlops.h2o.ai/deployment-on-demand': 'enabled' },
      cleared: { own: '1' },
      many: [55, 55, 'page 54', 'page 00'],
      deleted: 0,
      unknown: 'MLOpsNotFoundError',
      'unknown user': 'MLOpsNotFoundError',
      personal: 'MLOpsConflictError',
      'no name': 'MLOpsApiError',
    });
  });
});
