import { traefikImage } from '@haic/test-cluster/traefik.ts';
import { must } from './rendered.ts';

/** Where Traefik listens, by its Service: as browsers reach it. */
export interface Ingress {
  readonly address: string;
  readonly namespace: string;
}

const metadata = (namespace: string) => ({ name: 'traefik', namespace });
const labels = { app: 'traefik' };

/** What its documentation asks for, to serve Ingress objects and routes of the Gateway API in all namespaces. */
const rules = [
  {
    apiGroups: [''],
    resources: ['services', 'secrets', 'nodes', 'namespaces', 'configmaps'],
    verbs: ['get', 'list', 'watch'],
  },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  {
    apiGroups: ['networking.k8s.io'],
    resources: ['ingresses', 'ingressclasses'],
    verbs: ['get', 'list', 'watch'],
  },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses/status'], verbs: ['update'] },
  {
    apiGroups: ['gateway.networking.k8s.io'],
    resources: [
      'gatewayclasses',
      'gateways',
      'httproutes',
      'grpcroutes',
      'referencegrants',
      'backendtlspolicies',
    ],
    verbs: ['get', 'list', 'watch'],
  },
  {
    apiGroups: ['gateway.networking.k8s.io'],
    resources: [
      'gatewayclasses/status',
      'gateways/status',
      'httproutes/status',
      'grpcroutes/status',
      'backendtlspolicies/status',
    ],
    verbs: ['update'],
  },
];

const options = [
  ...['--global.checknewversion=false', '--global.sendanonymoususage=false', '--log.level=INFO'],
  ...['--entrypoints.web.address=:8000', '--entrypoints.websecure.address=:8443', '--ping'],
  ...['--providers.kubernetesingress', '--providers.kubernetesgateway'],
  // A signature of S3 is over the path as it was sent: `//` and `..` must arrive (docs/kubernetes.md).
  '--entrypoints.websecure.http.sanitizepath=false',
];

/** The real thing as a pod, held to Pod Security `restricted` like every other. */
export async function runTraefik(namespace: string): Promise<Ingress> {
  const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: restricted } },
    // By which an Ingress object says whose it is; Traefik's own chart brings it.
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'traefik' },
      spec: { controller: 'traefik.io/ingress-controller' },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(namespace) },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: namespace }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: namespace },
      subjects: [{ kind: 'ServiceAccount', name: 'traefik', namespace }],
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata(namespace),
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: 'traefik',
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 65_532,
              seccompProfile: { type: 'RuntimeDefault' },
            },
            containers: [
              {
                name: 'traefik',
                image: traefikImage,
                imagePullPolicy: 'Never',
                args: options,
                ports: [{ containerPort: 8000 }, { containerPort: 8443 }, { containerPort: 8080 }],
                readinessProbe: { httpGet: { path: '/ping', port: 8080 }, periodSeconds: 1 },
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ['ALL'] },
                },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata(namespace),
      spec: {
        type: 'LoadBalancer',
        selector: labels,
        ports: [
          { name: 'web', port: 80, targetPort: 8000 },
          { name: 'websecure', port: 443, targetPort: 8443 },
        ],
      },
    },
  ];
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  await must('kubectl', ['apply', '--server-side', '-f', '-'], JSON.stringify(list));
  await must('kubectl', [
    'rollout',
    'status',
    'deployment/traefik',
    '--namespace',
    namespace,
    '--timeout=110s',
  ]);
  const words = ['get', 'service', 'traefik', '--namespace', namespace, '-o', 'jsonpath={.spec.clusterIP}'];
  return { address: (await must('kubectl', words)).trim(), namespace };
}

/** As a cloud's controller does: from now on the address is a balancer's, which leads to it from within the cluster as well. */
export async function balance({ namespace }: Ingress, address: string): Promise<void> {
  const status = { loadBalancer: { ingress: [{ ip: address }] } };
  await must('kubectl', [
    ...['patch', 'service', 'traefik', '--namespace', namespace, '--subresource=status', '--type=merge'],
    ...['--patch', JSON.stringify({ status })],
  ]);
}

export async function removeTraefik({ namespace }: Ingress): Promise<void> {
  await must('kubectl', [
    'delete',
    `clusterrole/${namespace}`,
    `clusterrolebinding/${namespace}`,
    'ingressclass/traefik',
    '--wait=false',
  ]);
  await must('kubectl', ['delete', `namespace/${namespace}`, '--wait=false']);
}
