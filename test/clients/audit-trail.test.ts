import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { serviceTokenOf } from '../security/support.ts';
import { callApi } from '../support/api.ts';
import { execute, type Haic, startHaic } from '../support/haic.ts';
import { pythonWith } from '../support/python.ts';

const script = path.join(import.meta.dirname, 'audit_trail.py');

describe('the official h2o-audit-trail', () => {
  let haic: Haic;
  let python: string;
  before(async () => {
    python = await pythonWith(['h2o-audit-trail==1.5.3', 'h2o-cloud-discovery==3.3.0', 'h2o-authn==3.1.0']);
    haic = await startHaic();
    await haic.addUser('ada');
  });
  after(() => haic?.stop());

  it('does all that it can: a service records, a person searches, by discovery and without it', async () => {
    const ada = await callApi<{ subject: string }>(haic, await haic.accessToken('ada'), 'GET', '/api/v1/me');
    const answer = JSON.parse(
      await execute(python, [script], {
        PATH: '/usr/bin:/bin',
        TEST_URL: haic.url,
        SERVICE_TOKEN: await serviceTokenOf(haic, 'haic-service-core'),
        PERSON_TOKEN: (await haic.run(['token', '--user', haic.admin.username])).trim(),
        ADA_TOKEN: (await haic.run(['token', '--user', 'ada'])).trim(),
        ADA_PRINCIPAL: `users/${ada.body.subject}`,
        RUN: randomUUID(),
      }),
    );
    assert.deepEqual(answer, {
      name: true,
      same: true,
      login_principal: 'ada',
      address: 'private',
      workspace: 'workspaces/w1',
      type: 'TYPE_API',
      status: 0,
      taken: '409 (Conflict)',
      batch: [1, 2, 4, 5],
      failed: { 2: 3 },
      'no failure': {},
      any: true,
      all: [5, 4, 2, 1, 0],
      pages: [[5, 4], [2, 1], [0]],
      range: [2, 1],
      status_code: [2, 1],
      include: [2, 1],
      exclude: [5, 4, 0],
      read_only: [],
      action: [5],
      regex: [4, 2, 1, 0],
      exact: [4, 2, 1, 0],
      own: [5, 4, 2, 1, 0],
      'not all': '403 (Forbidden)',
      'not created': '403 (Forbidden)',
      'no expression': '400 (Bad Request)',
    });
  });
});
