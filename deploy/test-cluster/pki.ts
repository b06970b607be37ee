import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './run.ts';

/** Who signs in to the API by a certificate: file name → subject. */
const clients = {
  admin: '/O=system:masters/CN=admin',
  'controller-manager': '/CN=system:kube-controller-manager',
  scheduler: '/CN=system:kube-scheduler',
  kubelet: '/O=system:nodes/CN=system:node:node1',
  'kube-proxy': '/CN=system:kube-proxy',
  'kube-router': '/CN=kube-router',
  'apiserver-kubelet-client': '/O=system:masters/CN=apiserver-kubelet-client',
} as const;
export type ApiClient = keyof typeof clients;

const serverNames = [
  ...['localhost', 'node1', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'].map(
    (name) => `DNS:${name}`,
  ),
  'DNS:kubernetes.default.svc.cluster.local',
];

/** An authority for one throw-away cluster, a certificate for each of its parts, and the key that signs service accounts' tokens. */
export async function makeCertificates(
  folder: string,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder, signal });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '365',
    '-subj',
    '/CN=test-cluster',
  );
  await openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', 'sa.key');
  await openssl('pkey', '-in', 'sa.key', '-pubout', '-out', 'sa.pub');

  const names = ['127.0.0.1', ...addresses].map((address) => `IP:${address}`);
  const server = `subjectAltName=${[...serverNames, ...names].join(',')}`;
  const usage = 'keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n';
  await writeFile(path.join(folder, 'client.cnf'), usage);
  await writeFile(path.join(folder, 'server.cnf'), `${usage}${server}\n`);
  const leaf = async (name: string, subject: string, extensions: string) => {
    await openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
    await openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
      ...['-days', '365', '-out', `${name}.crt`, '-extfile', extensions],
    );
  };
  await leaf('apiserver', '/CN=kube-apiserver', 'server.cnf');
  await leaf('kubelet-server', '/O=system:nodes/CN=system:node:node1', 'server.cnf');
  for (const [name, subject] of Object.entries(clients)) await leaf(name, subject, 'client.cnf');
}

/** JSON is YAML: what `kubectl` and every client library read. */
export const kubeconfig = (certificates: string, server: string, client: ApiClient): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: client } }],
    clusters: [
      { name: 'test', cluster: { server, 'certificate-authority': path.join(certificates, 'ca.crt') } },
    ],
    users: [
      {
        name: client,
        user: {
          'client-certificate': path.join(certificates, `${client}.crt`),
          'client-key': path.join(certificates, `${client}.key`),
        },
      },
    ],
  });
