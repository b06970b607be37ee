import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { createLogger } from '@haic/kit/logging.ts';
import type { AuditedAction } from '@haic/services/audit/client.ts';
import { createTelling } from './telling.ts';

function world(issuerTells: boolean) {
  const told: AuditedAction[] = [];
  const state = { away: false };
  const telling = createTelling({
    audit: {
      record: async (action) => {
        if (state.away) throw new Error('away');
        told.push(action);
      },
    },
    issuerTells,
    logger: createLogger('test', 'silent'),
  });
  const request = new IncomingMessage(new Socket());
  request.headers['user-agent'] = 'test';
  return { told, state, telling, request };
}

describe('what the edge tells the audit trail', () => {
  it('is a door that stayed shut, once for each person and instance', async () => {
    const { told, telling, request } = world(true);
    for (const subject of ['u1', 'u1', 'u2']) telling.refused(request, '203.0.113.7', subject, 'i1');
    telling.refused(request, '203.0.113.7', 'u1', 'i2');
    assert.deepEqual(
      told.map(({ principal, resource, status }) => [principal, resource, status?.code]),
      [
        ['users/u1', '//appstore/instances/i1', 7],
        ['users/u2', '//appstore/instances/i1', 7],
        ['users/u1', '//appstore/instances/i2', 7],
      ],
    );
  });

  it('is a sign-in where another issuer signs people in, which goes on when it cannot be told', async () => {
    const own = world(true);
    await own.telling.session(own.request, '203.0.113.7', 'u1', 'SIGNIN');
    assert.deepEqual(own.told, []);
    const { told, state, telling, request } = world(false);
    await telling.session(request, '203.0.113.7', 'u1', 'SIGNIN');
    assert.deepEqual(told[0], {
      ...{ action: 'actions/identity/sessions/SIGNIN', readOnly: false, resource: '//identity/sessions' },
      ...{ principal: 'users/u1', sourceIpAddress: '203.0.113.7', userAgent: 'test' },
    });
    state.away = true;
    await telling.session(request, '203.0.113.7', 'u1', 'SIGNOUT');
  });

  it('is a token that is made, which is not given when it cannot be told', async () => {
    const { state, telling, request } = world(true);
    state.away = true;
    const deed = { action: 'actions/identity/tokens/CREATE', readOnly: false };
    await assert.rejects(telling.done(request, '', 'u1', deed), /away/);
  });
});
