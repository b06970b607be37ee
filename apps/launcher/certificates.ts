import { readFileSync } from 'node:fs';
import { tls } from './builtin.ts';

/** A CA of one's own is trusted beside the usual ones. */
export function trustedCertificates(caFile: string | undefined): string[] | undefined {
  return caFile === undefined
    ? undefined
    : [...tls().getCACertificates('default'), readFileSync(caFile, 'utf8')];
}
