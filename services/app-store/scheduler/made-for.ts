import { createHash } from 'node:crypto';
import type { TemplateSettings } from './template-settings.ts';

/** At the workload: the installation that its specification was made for. */
export const madeForAnnotation = 'haic.io/made-for';

/** What of the installation is written into a specification, in two digests: its address, and the rest. */
export function madeFor(settings: Omit<TemplateSettings, 'masterKey' | 'runtimeVersions'>): string {
  const { publicUrl, issuer, launcher, installer, network } = settings;
  return `${digestOf([publicUrl, issuer])}-${digestOf([launcher, installer, network])}`;
}

const digestOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
