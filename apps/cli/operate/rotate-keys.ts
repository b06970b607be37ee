import type { ServerSettings } from '@haic/server/settings.ts';
import { confirm, print, say } from '../terminal.ts';
import { asOperator } from './users.ts';

interface NewKey {
  readonly keyId: string;
  readonly signsFrom: string;
}
const path = '/internal/identity/keys';

/** For keys that became known: everything that they signed is refused within seconds. */
export const replaceKeys = (settings: ServerSettings, options: { yes: boolean }): Promise<void> =>
  asOperator(settings, async (operator) => {
    say('This is for keys that became known. Within seconds, everywhere:');
    say('- everybody is signed out of every browser and every app, and signs in anew;');
    say('- access tokens of scripts, apps and service accounts are refused; those who can get a new one do.');
    say('Platform and CLI tokens (refresh tokens), people and secrets of service accounts stay.');
    if (!options.yes) await confirm('Drop the old keys and sign everybody out?', '--yes');
    print((await operator.call<NewKey>('POST', path, { dropOld: true })).keyId);
    say('The old keys are gone; this one signs from now on.');
  });

/** Rotates the signing and cookie keys of Haic's own issuer before their age does it. */
export const rotateKeys = (settings: ServerSettings): Promise<void> =>
  asOperator(settings, async (operator) => {
    const key = await operator.call<NewKey>('POST', path);
    print(key.keyId);
    say(`This key is published now and signs from ${key.signsFrom}, when everybody who verifies knows it.`);
    say('What the old keys signed stays good until its own end; nobody is signed out.');
  });
