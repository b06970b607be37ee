import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createLogger } from '@haic/kit/logging.ts';
import { loadAllYaml } from '@kubernetes/client-node';
import type { PodTemplate } from '../../port.ts';
import { annotationKeys, labelKeys } from '../names.ts';
import type { KubernetesRuntimeOptions } from '../options.ts';
import { renderController, renderMetadata, renderService } from '../render.ts';
import { testHelm } from './testing.ts';
import { type ChartValues, valuesOf } from './values.ts';

type Template = Omit<PodTemplate, 'secret'>;
interface Rendered {
  readonly kind: string;
  readonly metadata: Readonly<Record<'labels' | 'annotations', Record<string, string>>> & {
    readonly name: string;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

const options: KubernetesRuntimeOptions = {
  namespace: 'apps',
  images: { app: { reference: 'registry.example/app@sha256:0123', uid: 20_000 } },
  imagePullSecrets: ['registry'],
  gpuResource: 'amd.com/gpu',
  logger: createLogger('test', 'silent'),
};
const plain: Template = {
  image: 'app',
  command: ['/bin/sh'],
  env: [],
  ports: [],
  resources: {},
  volumes: [],
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
};
const metadata = {
  labels: { 'haic.io/app': 'an-app', number: '1' },
  annotations: { 'haic.io/owner': 'Ada "the first"\nLovelace: {{ .Values }} é 😀', empty: '' },
  replicas: 1 as const,
};
const templates: Readonly<Record<string, Template>> = {
  plain,
  'with everything': {
    ...plain,
    command: ['/bin/sh', '-c', 'echo "$HOME" $(A) $$ \\ <&> \' # - : \t {{ x }}\nwait'],
    workingDirectory: '/app/a b',
    env: [
      { name: 'TEXT', value: 'yes "no" $(B) ü 😀 {{ .Release.Name }}' },
      { name: 'EMPTY', value: '' },
      { name: 'NUMBER', value: '0123' },
      { name: 'TOKEN', secretKey: 'token' },
      { name: 'PORT', portName: 'a-name-that-is-much-too-long-for-it' },
    ],
    ports: [
      { name: 'web', port: 8_080 },
      { name: 'a-name-that-is-much-too-long-for-it' },
      { name: '8' },
      { name: 'x--y' },
    ],
    resources: { memoryLimit: 2 ** 40 + 1, memoryRequest: 1.5, cpuLimit: 1_500, cpuRequest: 0.5, gpus: 2 },
    nodeSelector: { 'example.org/disk': 'fast', yes: 'true' },
    tolerations: [{ key: 'gpu' }, { key: 'team', value: 'a', effect: 'NoSchedule' }],
    volumes: [
      { name: 'data', mountPath: '/app', source: { kind: 'persistent', claim: 'data-of-ada' } },
      { name: 'tmp', mountPath: '/scratch', readOnly: true, source: { kind: 'ephemeral' } },
      { name: 'shm', mountPath: '/dev/shm', source: { kind: 'memory', sizeBytes: 2 ** 31 } },
      { name: 'config', mountPath: '/var/run/haic', source: { kind: 'secret', keys: ['config.json', '.x'] } },
    ],
    startupProbe: { check: { kind: 'tcp', port: '8' }, failureThreshold: 90, periodSeconds: 0.1 },
    readinessProbe: { check: { kind: 'http', path: '/a?b="c"', port: 'web' }, initialDelaySeconds: 0 },
    livenessProbe: { check: { kind: 'http', path: '/', port: 'x--y' }, timeoutSeconds: 2.5 },
    terminationGracePeriodSeconds: 0.2,
  },
  'with a place of its own for temporary files': {
    ...plain,
    volumes: [{ name: 'mine', mountPath: '/tmp', source: { kind: 'memory', sizeBytes: 1 } }],
  },
};

async function helm(words: readonly string[], values: unknown): Promise<string> {
  const child = promisify(execFile)(testHelm.program, [...words, '--values', '-'], { maxBuffer: 2 ** 24 });
  child.child.stdin?.end(JSON.stringify(values));
  return (await child).stdout;
}
const render = async (name: string, values: unknown): Promise<Rendered[]> =>
  loadAllYaml(
    await helm(['template', name, testHelm.chart, '--namespace', options.namespace], values),
  ) as Rendered[];

/** YAML leaves out what has nothing in it; and ports have no order. */
const withoutNothing = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, part: unknown) =>
      isNothing(key, part)
        ? undefined
        : key === 'ports' && Array.isArray(part)
          ? part.toSorted(byPort)
          : part,
    ),
  );
const byPort = (a: { containerPort?: number; port?: number }, b: typeof a): number =>
  (a.containerPort ?? a.port ?? 0) - (b.containerPort ?? b.port ?? 0);
const isNothing = (key: string, part: unknown): boolean =>
  part === null ||
  (['limits', 'requests', 'env', 'ports'].includes(key) && Object.keys(part as object).length === 0);

describe('the chart of an instance', () => {
  for (const [what, template] of Object.entries(templates))
    for (const name of ['app-1', '1-app'])
      it(`is what the API would be sent: a template ${what}, named ${name}`, async () => {
        const secretName = what === 'plain' ? undefined : 'a-secret';
        const byApi = renderController({ name, template }, secretName, options) as Rendered;
        const above = renderMetadata('Deployment', { name, ...metadata }, options, {
          resourceVersion: '1',
          created: undefined,
        }) as Rendered;
        const documents = await render(name, valuesOf(metadata, template, secretName, options));
        const deployment = documents.find(({ kind }) => kind === 'Deployment');
        assert.ok(deployment);
        const revision = (spec: unknown) =>
          (spec as { template: { metadata: { labels: Record<string, string> } } }).template.metadata.labels;
        const chart = structuredClone(deployment);
        const api = structuredClone(byApi);
        for (const one of [chart, api]) revision(one.spec)[labelKeys.revision] = 'the same for the same';
        assert.deepEqual(withoutNothing(chart.spec), withoutNothing({ ...api.spec, ...above.spec }));
        const { annotations, labels } = chart.metadata;
        assert.deepEqual(labels, { ...api.metadata.labels, ...metadata.labels });
        const { [annotationKeys.template]: told = '', ...others } = annotations;
        assert.deepEqual(JSON.parse(told), template);
        const apis = { ...api.metadata.annotations };
        delete apis[annotationKeys.template];
        assert.deepEqual(others, { ...apis, ...above.metadata.annotations });
        const service = documents.find(({ kind }) => kind === 'Service');
        const { metadata: serviceMetadata, spec } = (renderService({ name, template }, options.namespace) ??
          {}) as Rendered;
        assert.deepEqual(
          [service?.metadata?.name, service?.metadata?.labels, withoutNothing(service?.spec ?? {})],
          [
            serviceMetadata?.name,
            serviceMetadata?.labels,
            withoutNothing(spec === undefined ? {} : { type: 'ClusterIP', ...spec }),
          ],
        );
        assert.equal(documents.length, service === undefined ? 1 : 2, 'volumes are taken by Haic');
      });

  it('another template, secret or image is another pod; other labels and a pause are not', async () => {
    const values = valuesOf(metadata, plain, undefined, options);
    const revisionOf = async (change: Partial<ChartValues>) => {
      const [deployment] = (await render('app', { ...values, ...change })).filter(
        ({ kind }) => kind === 'Deployment',
      );
      return JSON.stringify(deployment?.spec.template);
    };
    const first = await revisionOf({});
    assert.equal(await revisionOf({ labels: { a: 'b' }, annotations: {}, replicas: 0 }), first);
    for (const change of [
      { template: { ...plain, command: ['/bin/true'] } },
      { secretName: 'another' },
      { image: { ...values.image, reference: 'another' } },
    ])
      assert.notEqual(await revisionOf(change), first);
  });

  it('makes volumes for who installs it by hand, and leaves them when it goes', async () => {
    const template = templates['with everything'];
    assert.ok(template);
    const values = { ...valuesOf(metadata, template, 'a-secret', options), createClaims: true };
    const claims = (await render('app', values)).filter(({ kind }) => kind === 'PersistentVolumeClaim');
    assert.equal(claims.length, 1);
    assert.equal(claims[0]?.metadata.annotations['helm.sh/resource-policy'], 'keep');
  });

  it('mounts ConfigMaps, and passes the linter', async () => {
    const values = {
      ...valuesOf(metadata, plain, undefined, options),
      configMaps: [{ name: 'settings', mountPath: '/etc/app' }],
    };
    assert.match(await helm(['template', 'app', testHelm.chart], values), /configMap:\n\s+name: settings/);
    assert.match(await helm(['lint', '--strict', testHelm.chart], values), /0 chart\(s\) failed/);
  });

  it('refuses what is none of its values, before anything is changed', async () => {
    const values = valuesOf(metadata, plain, undefined, options);
    for (const [what, bad] of Object.entries({
      'no image': { ...values, image: { ...values.image, reference: '' } },
      root: { ...values, image: { ...values.image, uid: 0 } },
      'two at once': { ...values, replicas: 2 },
      'no command': { ...values, template: { ...plain, command: [] } },
      'a path that climbs': { ...values, template: { ...plain, workingDirectory: '/app/../etc' } },
      'port 70000': { ...values, template: { ...plain, ports: [{ name: 'web', port: 70_000 }] } },
      'half a GPU': { ...values, template: { ...plain, resources: { gpus: 0.5 } } },
      'a value of a secret': { ...values, template: { ...plain, secret: { token: 'abc' } } },
      'a misspelt value': { ...values, replica: 1 },
    }))
      await assert.rejects(render('app', bad), /values don't meet the specifications/, what);
    await assert.rejects(
      render('app', { ...values, template: { ...plain, env: [{ name: 'A', secretKey: 'a' }] } }),
      /an env with secretKey needs secretName/,
    );
  });
});
