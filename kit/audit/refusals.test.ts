import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Principal, wellKnownClients } from '../auth/principal.ts';
import type { AuditedCall, CallOutcome } from './call-audit.ts';
import { createBound, isTold, tellRefusal } from './refusals.ts';
import { callAuditInto } from './testing.ts';

const principal = (subject: string, party: string = wellKnownClients.portal): Principal => ({
  ...{ subject, username: subject, name: undefined, email: undefined, roles: [], groups: [] },
  ...{ party, partyKind: 'portal', instanceId: undefined, expiresAt: 0, token: 'x' },
});
const call = {
  ...{ action: 'actions/test/things/CHANGE', readOnly: false, sourceIpAddress: '203.0.113.7' },
  ...{ userAgent: 'test', status: { code: 7, message: 'No.' } },
};

describe('refusals', () => {
  it('are told of whoever asked, or of nobody known', async () => {
    const told: (AuditedCall & CallOutcome)[] = [];
    const audit = callAuditInto((each) => told.push(each));
    await tellRefusal(audit, { ...call, principal: principal('u1') });
    await tellRefusal(audit, { ...call, principal: undefined });
    assert.deepEqual(
      told.map(({ principal, metadata, status }) => [principal, metadata, status]),
      [
        ['users/u1', { client: 'haic-portal' }, call.status],
        ['users/unknown', {}, call.status],
      ],
    );
  });

  it('stay refusals where they cannot be recorded', async () => {
    const audit = {
      begin: async () => {
        throw new Error('The outbox is full.');
      },
    };
    await tellRefusal(audit, { ...call, principal: undefined });
  });

  it('are bounded for each person by each client, and for all who are nobody together, and what was not told is counted', () => {
    let now = 0;
    const bound = createBound(() => now);
    const count = (times: number, who?: Principal) =>
      Array.from({ length: times }, () => bound.count(who)).filter((each) => each !== undefined).length;
    for (const who of [undefined, principal('u1'), principal('u1', wellKnownClients.cli), principal('u2')]) {
      assert.equal(count(100, who), 30);
      now += 60_000;
      assert.equal(bound.count(who), 70);
      assert.equal(bound.count(who), 0);
    }
  });

  it('are what somebody asked in vain, and denials what they may not', () => {
    const all = Array.from({ length: 17 }, (_, code) => code);
    assert.deepEqual(
      all.filter((code) => isTold(code)),
      [3, 5, 6, 7, 8, 9, 10, 11, 16],
    );
    assert.deepEqual(
      all.filter((code) => isTold(code, 'denied')),
      [7, 16],
    );
  });
});
