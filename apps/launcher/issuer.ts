import { sleep } from '@haic/kit/deadline.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { http, https } from './builtin.ts';
import { trustedCertificates } from './certificates.ts';

const pauseMs = 1_000;
const attemptMs = 5_000;

/** waved panics when the issuer is down at its start, so it is asked for first; for as long as it takes. */
export async function waitForIssuer(options: {
  providerUrl: string;
  caFile: string | undefined;
  onWaiting: (message: string) => void;
  signal: AbortSignal;
}): Promise<void> {
  const url = `${options.providerUrl}/.well-known/openid-configuration`;
  const ca = trustedCertificates(options.caFile);
  for (;;) {
    const problem = await ask(url, ca, options.signal);
    if (problem === undefined) return;
    options.signal.throwIfAborted();
    options.onWaiting(`Waiting for the sign-in service at ${options.providerUrl} (${problem}).`);
    await sleep(pauseMs, options.signal);
  }
}

/** What is wrong with the issuer; undefined when it answers as one. */
function ask(url: string, ca: string[] | undefined, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]);
    const options = { agent: false as const, signal: limit };
    const request = url.startsWith('https:')
      ? https().get(url, { ...options, ...(ca === undefined ? {} : { ca }) })
      : http.get(url, options);
    request.on('error', (error) => resolve(limit.aborted ? 'no answer' : messageOf(error)));
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > 1024 * 1024) request.destroy(new Error('its answer is too long'));
      });
      response.on('error', (error) => resolve(messageOf(error)));
      response.on('end', () => resolve(problemWith(response.statusCode ?? 0, text)));
    });
  });
}

function problemWith(status: number, text: string): string | undefined {
  if (status !== 200) return `it answers ${status}`;
  try {
    const document: unknown = JSON.parse(text);
    const usable = typeof document === 'object' && document !== null && 'authorization_endpoint' in document;
    return usable ? undefined : 'its description is not complete';
  } catch {
    return 'its description is not JSON';
  }
}
