import type { AuditedCall, CallAudit, CallOutcome } from './call-audit.ts';

/** Keeps in memory what calls tell, when they have ended. */
export const callAuditInto = (tell: (call: AuditedCall & CallOutcome) => void): CallAudit => ({
  begin: async (call) => ({
    end: async (outcome) => tell({ ...call, ...outcome }),
    drop: async () => undefined,
  }),
});
