import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { images } from '@haic/cli/images/images.ts';
import { nodeFlags } from '@haic/cli/installation/node-flags.ts';
import { chart, example, examples, named, podSpecOf, type Rendered, render, run } from './rendered.ts';

interface Policy {
  readonly podSelector: { readonly matchLabels?: unknown };
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly unknown[];
  readonly egress?: readonly unknown[];
}
const policiesOf = (documents: readonly Rendered[], namespace: string): Policy[] =>
  named(documents, 'NetworkPolicy', undefined, namespace).map(({ spec }) => spec as unknown as Policy);

const components = ['router', 'core', 'drive'] as const;
const refusal = async (...set: string[]): Promise<string> => {
  const values = set.flatMap((each) => ['--set', each]);
  const { code, stderr } = await run('helm', [
    ...['template', 'haic', chart, '--namespace', 'acme', '--values', example('smallest')],
    ...values,
  ]);
  assert.notEqual(code, 0, `${set.join()} is taken`);
  return stderr;
};

describe('the chart of an account', () => {
  for (const name of examples)
    it(`is sound with the values of examples/${name}.yaml`, async () => {
      const { code, stdout } = await run('helm', ['lint', '--strict', chart, '--values', example(name)]);
      assert.equal(code, 0, stdout);
      const documents = await render(example(name));
      const ids = documents.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
      assert.equal(new Set(ids).size, ids.length, 'no object is there twice');
      for (const { kind, metadata } of documents)
        assert.ok(kind === 'Namespace' || metadata.namespace !== undefined, `${kind} ${metadata.name}`);
    });

  it('has a namespace and an entrance for each component, and asks for nothing of the whole cluster', async () => {
    const documents = await render(example('smallest'));
    assert.deepEqual(
      named(documents, 'Namespace')
        .map(({ metadata }) => metadata.name)
        .toSorted(),
      ['acme-apps', 'acme-core', 'acme-drive', 'acme-router'],
    );
    for (const { metadata } of named(documents, 'Namespace'))
      assert.equal(metadata.labels?.['pod-security.kubernetes.io/enforce'], 'restricted', metadata.name);
    for (const component of components)
      assert.equal(named(documents, 'Ingress', component, `acme-${component}`).length, 1, component);
    const kinds = new Set(documents.map(({ kind }) => kind));
    for (const kind of ['ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition', 'PriorityClass'])
      assert.ok(!kinds.has(kind), kind);
    const given = await render(example('given-namespaces'));
    assert.deepEqual(named(given, 'Namespace'), []);
    assert.deepEqual([...new Set(given.map(({ metadata }) => metadata.namespace))].toSorted(), [
      ...['acme', 'edge', 'instances', 'objects', 'platform'],
    ]);
  });

  it('starts each component as its image would, with the flags that it has on one machine', async () => {
    const documents = await render(example('smallest'));
    const [node = '', program = ''] = images.platform.entrypoint;
    for (const component of components) {
      const [deployment] = named(documents, 'Deployment', component, `acme-${component}`);
      const container = deployment && podSpecOf(deployment)?.containers[0];
      assert.deepEqual(container?.command, [node, ...nodeFlags(component), program], component);
    }
  });

  it('lets the scheduler touch the namespace of instances, and nobody anything else', async () => {
    const documents = await render(example('replicated'));
    assert.deepEqual(
      [...named(documents, 'Role'), ...named(documents, 'RoleBinding')].map(
        ({ metadata }) => metadata.namespace,
      ),
      ['acme-apps', 'acme-apps'],
    );
    const [role] = named(documents, 'Role');
    const rules = role?.rules as { apiGroups: string[]; resources: string[]; verbs: string[] }[];
    for (const { apiGroups, resources, verbs } of rules)
      assert.ok(![...apiGroups, ...resources, ...verbs].includes('*'), JSON.stringify(resources));
    const [binding] = named(documents, 'RoleBinding');
    assert.deepEqual(binding?.subjects, [{ kind: 'ServiceAccount', name: 'core', namespace: 'acme-core' }]);
    for (const component of components) {
      const [deployment] = named(documents, 'Deployment', component);
      assert.ok(deployment);
      assert.equal(podSpecOf(deployment)?.automountServiceAccountToken, component === 'core', component);
    }
  });

  it('lets nothing through but what is named', async () => {
    const documents = await render(example('replicated'));
    for (const component of [...components, 'apps']) {
      const policies = policiesOf(documents, `acme-${component}`);
      const all = policies.filter(
        ({ podSelector, ingress, egress }) =>
          podSelector.matchLabels === undefined && ingress === undefined && egress === undefined,
      );
      assert.deepEqual(
        all.map(({ policyTypes }) => policyTypes),
        [['Ingress', 'Egress']],
        component,
      );
      // An empty rule is everything.
      for (const policy of policies)
        for (const rule of [...(policy.ingress ?? []), ...(policy.egress ?? [])])
          assert.ok(Object.keys(rule as object).length > 0, component);
    }
    const text = JSON.stringify(policiesOf(documents, 'acme-apps'));
    assert.ok(text.includes('169.254.0.0/16'), 'apps do not reach the metadata of their machine');
    assert.ok(!text.includes('5432'), 'nor the database');
    assert.deepEqual(
      named(await render(example('smallest'), { set: ['networkPolicies.enabled=false'] }), 'NetworkPolicy'),
      [],
    );
  });

  it('takes an empty list of peers for anywhere, also beside one that is not empty', async () => {
    const documents = await render(example('smallest'), { values: { 'networkPolicies.services': [] } });
    const byHttps = policiesOf(documents, 'acme-drive')
      .flatMap(({ egress = [] }) => egress as { to?: unknown[]; ports?: { port: number }[] }[])
      .filter(({ ports = [] }) => ports.some(({ port }) => port === 443));
    assert.deepEqual(
      byHttps.map(({ to }) => to),
      [[]],
    );
  });

  it('runs what is replicated so that a node can go and a version can come', async () => {
    const documents = await render(example('replicated'));
    const replicas = { router: 3, core: 2, drive: 2 };
    for (const component of components) {
      const [deployment] = named(documents, 'Deployment', component);
      assert.ok(deployment);
      const pod = podSpecOf(deployment);
      const [container] = pod?.containers ?? [];
      assert.equal(deployment.spec?.replicas, replicas[component]);
      assert.deepEqual(
        (deployment.spec as { strategy: { rollingUpdate?: unknown } }).strategy.rollingUpdate,
        {
          maxUnavailable: 0,
          maxSurge: 1,
        },
      );
      assert.ok(container?.readinessProbe && container.livenessProbe && container.startupProbe, component);
      assert.deepEqual(
        container.lifecycle?.preStop?.httpGet,
        { path: '/ending', port: 'operations' },
        component,
      );
      // Longer than what it waits before, and than the process takes at most (serve.ts).
      assert.ok((pod?.terminationGracePeriodSeconds ?? 0) >= 5 + 20, component);
      assert.equal(pod?.topologySpreadConstraints?.length, 2);
      assert.equal(named(documents, 'PodDisruptionBudget', component, `acme-${component}`).length, 1);
    }
    const smallest = await render(example('smallest'));
    for (const component of ['core', 'drive'] as const) {
      const [one] = named(smallest, 'Deployment', component);
      assert.deepEqual(
        one?.spec?.strategy,
        { type: 'Recreate' },
        'one at a time: the volume is mounted once',
      );
      assert.equal(named(smallest, 'PersistentVolumeClaim', component, `acme-${component}`).length, 1);
    }
  });

  it('brings the database up to date before anything of a new version runs', async () => {
    const [job] = named(await render(example('replicated')), 'Job');
    assert.equal(job?.metadata.annotations?.['helm.sh/hook'], 'pre-install,pre-upgrade');
    assert.equal(job?.metadata.namespace, 'acme');
  });

  it('keeps the password of a managed database out of what it renders, and has its certificate verified', async () => {
    const documents = await render(example('replicated'));
    const envs = documents.flatMap((each) => podSpecOf(each)?.containers ?? []).map(({ env }) => env);
    assert.equal(envs.length, 4);
    for (const env of envs) {
      const url = env.find(({ name }) => name === 'HAIC_DATABASE_URL')?.value;
      assert.equal(
        url,
        'postgres://haic@haic.0123456789.eu-central-1.rds.amazonaws.com:5432/haic?sslmode=verify-full',
      );
      assert.equal(env.find(({ name }) => name === 'HAIC_CA_FILE')?.value, '/var/run/haic/trust/ca.crt');
      assert.equal(env.find(({ name }) => name === 'PGPASSWORD')?.value, undefined);
    }
  });

  it('keeps objects in a bucket by the identity of its pods, and then needs no volume for them', async () => {
    const documents = await render(example('workload-identity'));
    for (const component of ['core', 'drive'] as const) {
      const [account] = named(documents, 'ServiceAccount', component);
      assert.match(account?.metadata.annotations?.['eks.amazonaws.com/role-arn'] ?? '', /^arn:aws:iam::/);
      const env = named(documents, 'Deployment', component).flatMap(
        (each) => podSpecOf(each)?.containers.flatMap((container) => container.env) ?? [],
      );
      const store = env.find(({ name }) => name === 'HAIC_BLOB_STORE')?.value;
      assert.equal(store, 's3://haic-objects/acme?region=eu-central-1');
      assert.ok(!env.some(({ name }) => /KEY_ID|SECRET_ACCESS|BLOB_STORE_KEY/.test(name)));
    }
    assert.deepEqual(
      named(documents, 'PersistentVolumeClaim').map(({ metadata }) => metadata.name),
      ['core'],
    );
    assert.equal(named(documents, 'Deployment', 'drive')[0]?.spec?.replicas, 3);
  });

  it('lets core and Drive ask GKE who they are to Google, for a store there and no other', async () => {
    const metadata = (documents: readonly Rendered[], namespace: string) =>
      JSON.stringify(policiesOf(documents, namespace)).includes('169.254.169.254/32');
    const google = await render(example('google-storage'));
    const amazon = await render(example('workload-identity'));
    for (const namespace of ['acme-core', 'acme-drive'])
      assert.deepEqual([metadata(google, namespace), metadata(amazon, namespace)], [true, false], namespace);
    for (const namespace of ['acme', 'acme-apps']) assert.ok(!metadata(google, namespace), namespace);
    const [account] = named(google, 'ServiceAccount', 'drive');
    assert.match(account?.metadata.annotations?.['iam.gke.io/gcp-service-account'] ?? '', /^haic-drive@/);
  });

  it('has one name for a Keycloak, which all ask by it, with its authority and the secrets of their clients', async () => {
    const documents = await render(example('replicated'));
    const secretsOf = { router: ['PORTAL', 'ROUTER'], drive: ['DRIVE'] } as const;
    const all = ['CORE', 'DRIVE', 'OPERATOR', 'PORTAL', 'ROUTER'] as const;
    for (const component of components) {
      const [pod] = named(documents, 'Deployment', component).map(podSpecOf);
      const [container] = pod?.containers ?? [];
      const env = new Map(container?.env.map((each) => [each.name, each] as const));
      assert.equal(env.get('HAIC_ISSUER')?.value, 'https://keycloak.example.org/realms/haic', component);
      assert.equal(env.get('HAIC_CA_FILE')?.value, '/var/run/haic/trust/ca.crt', component);
      const mounted = container?.volumeMounts?.map(({ mountPath }) => mountPath);
      assert.ok(mounted?.includes('/var/run/haic/trust'), component);
      const secrets = [...env.keys()].flatMap((name) => /^HAIC_(\w+)_CLIENT_SECRET$/.exec(name)?.[1] ?? []);
      assert.deepEqual(secrets.toSorted(), component === 'core' ? all : secretsOf[component], component);
      const [trust] = named(documents, 'ConfigMap', 'trust', `acme-${component}`);
      assert.match(JSON.stringify(trust), /BEGIN CERTIFICATE/);
    }
    // The router asks the issuer only where that is somebody else's.
    const outward = async (name: string) =>
      policiesOf(await render(example(name)), 'acme-router').some(({ egress = [] }) =>
        JSON.stringify(egress).includes('8443'),
      );
    assert.deepEqual([await outward('replicated'), await outward('smallest')], [true, false]);
  });

  it('lets core to the objects on the volume of Drive, and nobody else; where they are in a bucket there is no such way', async () => {
    const onVolumes = await render(example('replicated'));
    const inBucket = await render(example('workload-identity'));
    const envOf = (documents: readonly Rendered[], component: string, name: string) =>
      named(documents, 'Deployment', component)
        .flatMap((each) => podSpecOf(each)?.containers.flatMap(({ env }) => env) ?? [])
        .find((each) => each.name === name)?.value;
    assert.equal(envOf(onVolumes, 'core', 'HAIC_OBJECTS_ADDRESS'), 'drive.acme-drive.svc:8085');
    assert.equal(envOf(onVolumes, 'drive', 'HAIC_OBJECTS_PORT'), '8085');
    // The client's name of `from` is `_from`.
    const rules = policiesOf(onVolumes, 'acme-drive')
      .flatMap(({ ingress = [] }) => ingress as { _from?: unknown[]; ports?: { port: number }[] }[])
      .filter(({ ports = [] }) => ports.some(({ port }) => port === 8085));
    assert.equal(rules.length, 1);
    assert.deepEqual(
      rules[0]?._from?.map((peer) => JSON.stringify(peer).includes('"app.kubernetes.io/component":"core"')),
      [true],
    );
    assert.doesNotMatch(JSON.stringify(inBucket), /8085|HAIC_OBJECTS/);
  });

  it('refuses what could not work, in words', async () => {
    assert.match(
      await refusal('core.replicas=2'),
      /ReadWriteOnce: only one pod of the App Store could mount its volume/,
    );
    assert.match(await refusal('drive.replicas=2'), /only one pod of Drive could mount/);
    assert.match(await refusal('domain='), /domain/);
    assert.match(await refusal('domain=https://x.org'), /domain/);
    assert.match(await refusal('issuer.url=http://keycloak.example.org/realms/haic'), /issuer/);
    assert.match(await refusal('image.tag='), /image/);
    assert.match(await refusal('apps.image='), /apps/);
    assert.match(await refusal('router.replica=2'), /replica/);
    assert.match(await refusal('ingress.kind=gateway'), /ingress.parentRefs/);
    assert.match(await refusal('ingress.kind=nginx'), /kind/);
    assert.match(await refusal('namespaces.core=acme'), /namespace of its own/);
    assert.match(await refusal('namespaces.core=same', 'namespaces.drive=same'), /namespace of its own/);
    assert.match(await refusal(`namespaces.core=${'x'.repeat(64)}`), /namespaces/);
    assert.match(await refusal('database.sslMode=prefer'), /sslMode/);
    // A rule without peers would be one to everything.
    assert.match(await refusal('networkPolicies.egress[0].ports[0].port=4318'), /egress/);
  });

  it('has nothing in common with another release, of whatever name', async () => {
    const [first, second] = await Promise.all([
      render(example('replicated'), { namespace: 'acme' }),
      render(example('replicated'), { namespace: 'other', set: ['domain=other.example.org'] }),
    ]);
    const identities = (documents: readonly Rendered[]) =>
      documents.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
    const others = new Set(identities(second));
    assert.deepEqual(
      identities(first).filter((identity) => others.has(identity)),
      [],
    );
    // Neither names the other's namespaces, hosts or accounts anywhere.
    assert.doesNotMatch(JSON.stringify(second), /acme|"haic\.example\.org/);
    assert.doesNotMatch(JSON.stringify(first), /other/);
  });
});
