import { ownIssuerTimes } from '@haic/kit/auth/key-set.ts';
import { createTokenVerifier, type TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import type { Fetch } from '@haic/kit/http/client.ts';
import type { ServerSettings } from './settings.ts';

/** Verifies tokens of the issuer. Haic's own is dialled over core's socket, whatever its public name is. */
export const tokenVerifierOf = (settings: ServerSettings, coreSocket: Fetch): TokenVerifier =>
  createTokenVerifier({
    issuer: settings.issuer,
    audience: 'haic',
    ...(settings.issuerIsOwn
      ? {
          jwksUrl: `${settings.issuer}/protocol/openid-connect/certs`,
          fetch: coreSocket,
          keyTimes: ownIssuerTimes,
        }
      : {}),
  });
