import type { ServerSettings } from '@haic/server/settings.ts';
import { print, say } from '../terminal.ts';
import { asOperator } from './users.ts';

/** Rotates the signing and cookie keys of Haic's own issuer before their age does it. */
export const rotateKeys = (settings: ServerSettings): Promise<void> =>
  asOperator(settings, async (operator) => {
    const key = await operator.call<{ keyId: string; signsFrom: string }>('POST', '/internal/identity/keys');
    print(key.keyId);
    say(`This key is published now and signs from ${key.signsFrom}, when everybody who verifies knows it.`);
    say('What the old keys signed stays good until its own end; nobody is signed out.');
  });
