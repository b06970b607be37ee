import { access, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { ConfigError } from '@haic/kit/config.ts';
import { messageOf } from '@haic/kit/errors.ts';
import type { Installation } from './installation.ts';

const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

/** Where sandboxes see the bundle that `writeTrustBundle` wrote. */
export const trustBundleName = 'ca-bundle.pem';

/**
 * One PEM file with the system's authorities and the installation's own: what tools inside sandboxes verify with, because most of
 * them replace their list by the file they are given. Undefined when the system has no list and no own authority is set.
 */
export async function writeTrustBundle(
  at: Installation,
  ownAuthority: string | undefined,
): Promise<string | undefined> {
  const files = [process.env.SSL_CERT_FILE, ...systemBundles].filter((file) => file !== undefined);
  const system = await firstThatExists(files);
  const parts = [system, ownAuthority].filter((file) => file !== undefined);
  if (parts.length === 0) return undefined;
  const texts = await Promise.all(parts.map((file) => readFile(file, 'utf8')));
  const target = path.join(at.assets, trustBundleName);
  await writeFile(`${target}.tmp`, `${texts.map((text) => text.trim()).join('\n')}\n`, { mode: 0o644 });
  await rename(`${target}.tmp`, target);
  return target;
}

async function firstThatExists(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    const there = await access(file).then(
      () => true,
      () => false,
    );
    if (there) return file;
  }
  return undefined;
}

/** This very process trusts the installation's own authority beside the usual ones; before its first connection. */
export async function trustOwnAuthority(ownAuthority: string | undefined): Promise<void> {
  if (ownAuthority === undefined) return;
  const text = await readFile(ownAuthority, 'utf8').catch((cause: unknown) => {
    throw new ConfigError([`HAIC_CA_FILE: ${ownAuthority} cannot be read (${messageOf(cause)}).`]);
  });
  setDefaultCACertificates([...getCACertificates('default'), text]);
}
