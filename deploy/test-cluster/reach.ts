import { connect } from 'node:net';
import { toolsImage } from './tools-image.ts';

/** Runs `kubectl` as the cluster's administrator. */
type Kubectl = (...words: string[]) => Promise<string>;

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

const listen = `
import selectors, socket, sys
waiting = selectors.DefaultSelector()
for port in sys.argv[1:]:
    waiting.register(socket.create_server(('0.0.0.0', int(port)), backlog=256), selectors.EVENT_READ)
while True:
    for key, _ in waiting.select():
        key.fileobj.accept()[0].close()
`;

/** A pod that takes connections at all of these ports, from 1024, and says nothing; it passes Pod Security `restricted`. */
export const listener = (
  metadata: PodName & { readonly labels?: Readonly<Record<string, string>> },
  ports: readonly number[],
): unknown => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata,
  spec: {
    securityContext: { runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: 'RuntimeDefault' } },
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'main',
        image: toolsImage,
        imagePullPolicy: 'Never',
        command: ['/usr/bin/python3', '-c', listen, ...ports.map(String)],
        readinessProbe: { tcpSocket: { port: ports[0] }, periodSeconds: 1 },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
});

const dial = `
import concurrent.futures, json, socket, sys
def is_open(target):
    host, _, port = target.partition(':')
    try:
        if not port: return bool(socket.getaddrinfo(host, None))
        socket.create_connection((host, int(port)), timeout=3).close()
        return True
    except OSError:
        return False
with concurrent.futures.ThreadPoolExecutor(32) as threads:
    print(json.dumps([target for target, yes in zip(sys.argv[1:], threads.map(is_open, sys.argv[1:])) if yes]))
`;

/** Which of `<host>:<port>` a connection can be made to by TCP, and which names without a port lead to an address: from within a pod whose image has Python. */
export async function openFrom(
  kubectl: Kubectl,
  { namespace, name }: PodName,
  targets: readonly string[],
): Promise<readonly string[]> {
  const words = ['--', '/usr/bin/python3', '-c', dial, ...targets];
  return JSON.parse(await kubectl('exec', '--namespace', namespace, name, ...words)) as string[];
}

/** Whether a connection can be made to `<host>:<port>` from this process: in a cluster's network it stands on the node, which no policy concerns. */
export function isOpen(target: string): Promise<boolean> {
  const [host = '', port = ''] = target.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 5_000 });
    const end = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket
      .once('connect', () => end(true))
      .once('error', () => end(false))
      .once('timeout', () => end(false));
  });
}
