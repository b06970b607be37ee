import { ensureAzurite, ensureFakeGcsServer, ensureVersitygw } from './programs.ts';

/** Builds and installs what stores are started from, so that no test waits for it. */
const signal = AbortSignal.timeout(30 * 60_000);
await ensureVersitygw(signal);
await ensureFakeGcsServer(signal);
await ensureAzurite(signal);
