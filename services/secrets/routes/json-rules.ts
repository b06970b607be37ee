import type { JsonRules } from '@haic/kit/grpc-gateway/service.ts';

/** The generated client knows `null` for unset times only, and loops on the page token (contract of the secure store, 2). */
export const jsonRules: Partial<JsonRules> = { unsetTimestamps: 'null', emptyPageToken: 'given' };
