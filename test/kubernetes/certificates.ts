import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { execute } from '../support/haic.ts';

export interface Certificate {
  /** PEM. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** An authority for one test: what an organisation has of its own, which no machine trusts by itself. */
export async function makeAuthority(folder: string) {
  const inFolder = (name: string) => path.join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const openssl = (...words: string[]) => execute('openssl', words, process.env, folder);
  await openssl(
    ...['req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2'],
    ...['-subj', '/CN=authority of a test', '-addext', 'basicConstraints=critical,CA:TRUE'],
  );
  return {
    ca: await readFile(inFolder('ca.crt'), 'utf8'),
    caFile: inFolder('ca.crt'),
    async issue(name: string, names: readonly string[]): Promise<Certificate> {
      const extensions = `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth\n`;
      await writeFile(inFolder(`${name}.cnf`), extensions);
      await openssl(
        ...['req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`],
      );
      await openssl(
        ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
        ...['-days', '2', '-out', `${name}.crt`, '-extfile', `${name}.cnf`],
      );
      const [certFile, keyFile] = [inFolder(`${name}.crt`), inFolder(`${name}.key`)];
      return {
        certFile,
        keyFile,
      };
    },
  };
}
