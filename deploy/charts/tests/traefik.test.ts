import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { deadline, until } from '@haic/kit/deadline.ts';
import { toolsImage } from '@haic/test-cluster/tools-image.ts';
import { Agent, fetch } from 'undici';
import { define } from './definitions.ts';
import { example, must, renderText, run } from './rendered.ts';
import { type Ingress, removeTraefik, runTraefik } from './traefik.ts';

const account = `edge-${randomBytes(3).toString('hex')}`;
const entrances = { router: 8080, drive: 8082 } as const;

/** Says which component it stands for, and under which name it was asked. */
const program = `
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{sys.argv[1]} {self.headers['host']} {self.path} {self.headers.get('x-forwarded-proto')}".encode()
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(('0.0.0.0', int(sys.argv[2])), Handler).serve_forever()
`;

function standIn(component: keyof typeof entrances): unknown[] {
  const metadata = { name: component, namespace: `${account}-${component}`, labels: { component } };
  const port = entrances[component];
  const pod = {
    securityContext: { runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: 'RuntimeDefault' } },
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'main',
        image: toolsImage,
        imagePullPolicy: 'Never',
        command: ['/usr/bin/python3', '-c', program, component, String(port)],
        readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: metadata.namespace } },
    { apiVersion: 'v1', kind: 'Pod', metadata, spec: pod },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { component }, ports: [{ port }] } },
  ];
}

describe('the names of an account, at a real Traefik', () => {
  let ingress: Ingress;
  let agent: Agent;

  before(async () => {
    await define('gateway-api');
    ingress = await runTraefik(`traefik-${account}`);
    agent = new Agent({
      connect: {
        // Its own certificate: whose it is in an organisation is that organisation's.
        rejectUnauthorized: false,
        lookup: (_name, options, told) =>
          options.all === true
            ? told(null, [{ address: ingress.address, family: 4 }])
            : told(null, ingress.address, 4),
      },
    });
    const items = [...standIn('router'), ...standIn('drive')];
    await must('kubectl', ['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    for (const component of ['router', 'drive'])
      await must('kubectl', [
        ...['wait', '--for=condition=ready', `pod/${component}`, '--namespace', `${account}-${component}`],
        '--timeout=110s',
      ]);
  });
  after(async () => {
    await agent?.destroy();
    const names = ['router', 'drive', 'core'].map((component) => `${account}-${component}`);
    await run('kubectl', ['delete', 'namespace', '--ignore-not-found', '--wait=false', ...names]);
    if (ingress !== undefined) await removeTraefik(ingress);
  });

  const ask = async (url: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(url, { dispatcher: agent, signal: AbortSignal.timeout(10_000) });
    return { status: answer.status, text: await answer.text() };
  };
  const answeredBy = (component: string, url: string) =>
    until(async () => ((await ask(url)).text.startsWith(`${component} `) ? true : undefined), {
      everyMs: 250,
      signal: deadline(90_000),
    });
  const install = async (name: 'smallest' | 'gateway', domain: string, ...set: string[]) => {
    const text = await renderText(example(name), {
      namespace: account,
      set: [`domain=${domain}`, 'core.grpc.expose=false', ...set],
    });
    const ours = text.split(/^---$/m).filter((each) => /^kind: (Ingress|HTTPRoute)$/m.test(each));
    assert.equal(ours.length, 2);
    await must('kubectl', ['apply', '--server-side', '-f', '-'], ours.join('\n---\n'));
  };

  it('lead by Ingress objects to portal, instances and Drive, over TLS alone', async () => {
    const domain = `${account}.example.org`;
    await install('smallest', domain);
    await answeredBy('router', `https://${domain}/`);
    await answeredBy('drive', `https://drive.${domain}/`);
    // As it was asked. Traefik writes %2f as %2F, whatever is set; clients of S3 do, too.
    const path = '/instance//a%2Fb/..%2Fc?x=%20+';
    const instance = `https://0c5e9f8e-1f43-4f0e-9d0b-6a1f5f2d7c11.${domain}`;
    const { text } = await ask(`${instance}${path}`);
    assert.equal(text, `router ${new URL(instance).host} ${path} https`);
    assert.equal((await ask(`https://elsewhere.org/`)).status, 404);
    assert.equal((await ask(`http://${domain}/`)).status, 404, 'nothing is served in clear text');
  });

  it('are served by TLS 1.2 and newer, and by nothing older', async () => {
    const handshake = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
      new Promise<string | null>((resolve, reject) => {
        const socket: TLSSocket = connectTls(
          {
            ...{ host: ingress.address, port: 443, servername: `${account}.example.org` },
            ...{ rejectUnauthorized: false, minVersion: version, maxVersion: version },
            // So that this side would take it, whatever its own policy is.
            ciphers: 'ALL:@SECLEVEL=0',
          },
          () => {
            resolve(socket.getProtocol());
            socket.destroy();
          },
        );
        socket.once('error', reject);
      });
    assert.equal(await handshake('TLSv1.2'), 'TLSv1.2');
    assert.equal(await handshake('TLSv1.3'), 'TLSv1.3');
    await assert.rejects(handshake('TLSv1.1'), /alert protocol version|unsupported protocol/i);
  });

  it('lead there by routes of the Gateway API, too', async () => {
    const domain = `gateway-${account}.example.org`;
    const gateway = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'public', namespace: ingress.namespace },
      spec: {
        gatewayClassName: 'traefik',
        listeners: [
          { name: 'plain', protocol: 'HTTP', port: 8000, allowedRoutes: { namespaces: { from: 'All' } } },
        ],
      },
    };
    const gatewayClass = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: 'traefik' },
      spec: { controllerName: 'traefik.io/gateway-controller' },
    };
    for (const object of [gatewayClass, gateway])
      await must('kubectl', ['apply', '--server-side', '-f', '-'], JSON.stringify(object));
    const parent = { name: 'public', namespace: ingress.namespace, sectionName: 'plain' };
    const parents = Object.entries(parent).map(([key, value]) => `ingress.parentRefs[0].${key}=${value}`);
    await install('gateway', domain, ...parents);
    await answeredBy('router', `http://${domain}/`);
    await answeredBy('router', `http://anything.${domain}/`);
    await answeredBy('drive', `http://drive.${domain}/`);
  });
});
