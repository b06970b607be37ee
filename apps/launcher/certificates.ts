import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LauncherConfig } from '@haic/services/app-store/scheduler/launcher-config.ts';
import { tls } from './builtin.ts';
import type { LauncherPaths } from './paths.ts';

/** A CA of one's own is trusted beside the usual ones. */
export function trustedCertificates(caFile: string | undefined): string[] | undefined {
  return caFile === undefined
    ? undefined
    : [...tls().getCACertificates('default'), readFileSync(caFile, 'utf8')];
}

const systemBundle = '/etc/ssl/certs/ca-certificates.crt';

/** Authorities that came as a text become the file that everything in the instance verifies with, behind those of the image. */
export async function withOwnAuthorities(
  config: LauncherConfig,
  paths: LauncherPaths,
): Promise<LauncherConfig> {
  const { authorities, ...network } = config.network;
  if (authorities === undefined) return config;
  const system = await readFile(systemBundle, 'utf8').catch(() => '');
  const caFile = path.join(paths.notes, 'authorities.pem');
  await mkdir(paths.notes, { recursive: true });
  await writeFile(caFile, `${system}\n${authorities}\n`, { mode: 0o644 });
  return { ...config, network: { ...network, caFile } };
}
