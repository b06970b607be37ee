import type { IncomingMessage } from 'node:http';
import { auditMetadataOf, auditPrincipalOf, type CallAudit } from '@haic/kit/audit/call-audit.ts';
import { statusOfHttp } from '@haic/kit/audit/outcome.ts';
import { isTold, tellRefusal } from '@haic/kit/audit/refusals.ts';
import type { AuditWriter, BulkAuditWriter } from '@haic/services/audit/client.ts';
import { type DriveError, driveError } from '../errors.ts';
import type { AssumedRole } from './assume-role.ts';

export type DriveAudit = AuditWriter & BulkAuditWriter & CallAudit;

const action = 'actions/drive/keys/CREATE';

/**
 * Keys leave only after it is recorded who got them; the access key's id says in the trail which ones. Throws `ServiceUnavailable` when it cannot be
 * recorded.
 */
export async function tellOfKeys(
  audit: DriveAudit | undefined,
  message: IncomingMessage,
  { principal, credentials, sessionName }: AssumedRole,
): Promise<void> {
  const keys = {
    ...{ action, readOnly: false, principal: auditPrincipalOf(principal) },
    ...{ resource: `//drive/keys/${credentials.accessKeyId}`, ...originOf(message) },
    requestParameters: { sessionName, expiration: credentials.expiresAt.toISOString() },
    metadata: auditMetadataOf(principal),
  };
  try {
    await audit?.record(keys);
  } catch (cause) {
    throw driveError(
      'ServiceUnavailable',
      'Keys that the audit trail cannot hear of are not given. Try again in a moment.',
      { cause },
    );
  }
}

/** Of who gets none, nothing is known but where they are: the token was not good. */
export async function tellOfRefusal(
  audit: DriveAudit | undefined,
  message: IncomingMessage,
  { code, status: httpStatus, message: detail }: DriveError,
): Promise<void> {
  const status = statusOfHttp(httpStatus, { code, detail });
  if (audit === undefined || !isTold(status.code)) return;
  const call = { action, readOnly: false, resource: '//drive/keys', ...originOf(message) };
  await tellRefusal(audit, { ...call, principal: undefined, status });
}

export const originOf = ({ socket, headers }: IncomingMessage) => ({
  sourceIpAddress: socket.remoteAddress ?? '',
  userAgent: headers['user-agent'] ?? '',
});
