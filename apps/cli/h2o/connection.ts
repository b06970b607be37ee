import { readFileSync } from 'node:fs';
import process from 'node:process';
import { rootCertificates } from 'node:tls';
import { HaicError, messageOf } from '@haic/kit/errors.ts';
import type { Fetch } from '@haic/kit/http/client.ts';
import { EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';
import { CommandError, exitCodes } from '../terminal.ts';
import { commandName } from './command-name.ts';

/**
 * A fetch that goes through the proxy of HTTPS_PROXY and HTTP_PROXY, unless NO_PROXY names the host or it is this machine, and that
 * trusts the authority of `--ca`, SSL_CERT_FILE and NODE_EXTRA_CA_CERTS beside the public ones. Runs on Node 20 too, whose own fetch
 * knows nothing of proxies.
 */
export function openConnection(
  caFlag: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Fetch {
  const ca = authorities(caFlag, environment);
  const tls = ca === undefined ? {} : { ca };
  const noProxy = [environment.no_proxy ?? environment.NO_PROXY, 'localhost', '127.0.0.1', '::1'];
  const httpProxy = environment.http_proxy ?? environment.HTTP_PROXY;
  const httpsProxy = environment.https_proxy ?? environment.HTTPS_PROXY;
  const dispatcher = new EnvHttpProxyAgent({
    ...(httpProxy === undefined ? {} : { httpProxy }),
    ...(httpsProxy === undefined ? {} : { httpsProxy }),
    noProxy: noProxy.filter((hosts) => hosts !== undefined && hosts !== '').join(','),
    connect: tls,
    requestTls: tls,
    proxyTls: tls,
    // A run may take minutes to be accepted, and a followed log is silent for hours: callers have deadlines of their own.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return (url, init) =>
    // The DOM's and undici's types of the same standard do not unify; the values do.
    undiciFetch(url, {
      ...(init as Parameters<typeof undiciFetch>[1]),
      dispatcher,
    }) as unknown as Promise<Response>;
}

/** Undefined: those of Node itself, which have NODE_EXTRA_CA_CERTS already. */
function authorities(caFlag: string | undefined, environment: NodeJS.ProcessEnv): string[] | undefined {
  const fromEnvironment = environment.SSL_CERT_FILE || undefined;
  if (caFlag === undefined && fromEnvironment === undefined) return undefined;
  const others = [fromEnvironment, environment.NODE_EXTRA_CA_CERTS, environment.HAIC_CA_FILE];
  return [
    ...rootCertificates,
    ...(caFlag === undefined ? [] : [readAuthority(caFlag)]),
    ...others.flatMap(readIfThere),
  ];
}

function readAuthority(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(
      `--ca: ${file} cannot be read (${messageOf(error)}). Name a file with the authority's certificate (PEM).`,
      exitCodes.usage,
    );
  }
}

/** As OpenSSL does with its variable: a file that is not there adds nothing. */
function readIfThere(file: string | undefined): string[] {
  if (file === undefined || file === '') return [];
  try {
    return [readFileSync(file, 'utf8')];
  } catch {
    return [];
  }
}

/** Nobody answered: the platform may be starting again, so what can wait tries once more. */
export class Unreachable extends CommandError {}

/** Turns "fetch failed" into who was not reached, why, and what to do; other errors pass through. */
export function withAddress(error: unknown, address: string): unknown {
  if (!(error instanceof HaicError) || error.code !== 'service_unavailable' || error.cause === undefined)
    return error;
  const reason = rootCause(error.cause);
  if (reason.code !== undefined && /CERT|SIGNED|ISSUER|VERIFY/.test(reason.code)) {
    return new CommandError(
      `The certificate of ${address} is not trusted (${reason.message}). With an own authority, name its file: --ca FILE, or NODE_EXTRA_CA_CERTS=FILE.`,
    );
  }
  return new Unreachable(
    `${address} cannot be reached (${reason.message}). Does Haic run there? For another address: ${commandName} config setup`,
  );
}

function rootCause(error: unknown): { message: string; code: string | undefined } {
  if (error instanceof AggregateError && error.errors.length > 0) return rootCause(error.errors[0]);
  if (error instanceof Error && error.cause !== undefined) return rootCause(error.cause);
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return { message: messageOf(error), code };
}
