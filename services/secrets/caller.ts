import type { Principal } from '@haic/kit/auth/principal.ts';
import type { AuditedAction } from '@haic/services/audit/client.ts';

/** Who calls, and from where, for the audit trail. */
export interface Caller {
  readonly principal: Principal;
  readonly sourceIpAddress?: string | undefined;
  readonly userAgent?: string | undefined;
}

export const principalName = ({ principal }: Caller): string => `users/${principal.subject}`;

export const recordOf = (caller: Caller, action: string, name: string): AuditedAction => ({
  action,
  readOnly: /\/(GET|LIST|REVEALVALUE)$/.test(action),
  principal: principalName(caller),
  resource: `//secure-store/${name}`,
  ...(caller.sourceIpAddress === undefined ? {} : { sourceIpAddress: caller.sourceIpAddress }),
  ...(caller.userAgent === undefined ? {} : { userAgent: caller.userAgent }),
});
