import type { FastifyRequest } from '@haic/kit/http/server.ts';
import { instanceKey, signatureHeader, timestampHeader, verifySignature } from '../signature.ts';
import type { RouteContext } from './context.ts';

/** Who cannot sign learns nothing, not even whether the instance exists: what is not there has a key, too. */
export async function verifyLauncher(
  { masterKey, service }: Pick<RouteContext, 'masterKey' | 'service'>,
  instanceId: string,
  request: FastifyRequest,
): Promise<void> {
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const seed = (await service.find(instanceId))?.keySeed;
  verifySignature(instanceKey(masterKey, instanceId, seed), {
    method: request.method,
    path: request.url,
    timestamp: header(timestampHeader),
    signature: header(signatureHeader),
  });
}
