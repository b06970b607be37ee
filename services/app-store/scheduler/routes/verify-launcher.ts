import type { FastifyRequest } from '@haic/kit/http/server.ts';
import { instanceKey, signatureHeader, timestampHeader, verifySignature } from '../signature.ts';

/** Before anything is looked up: who cannot sign learns nothing, not even whether the instance exists. */
export function verifyLauncher(masterKey: Buffer, instanceId: string, request: FastifyRequest): void {
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  verifySignature(instanceKey(masterKey, instanceId), {
    method: request.method,
    path: request.url,
    timestamp: header(timestampHeader),
    signature: header(signatureHeader),
  });
}
