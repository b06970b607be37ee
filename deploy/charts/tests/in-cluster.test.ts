import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { define } from './definitions.ts';
import { chart, example, must, podSpecOf, type Rendered, render, renderText, run } from './rendered.ts';

const suffix = randomBytes(3).toString('hex');
const accounts = [`acme-${suffix}`, `other-${suffix}`] as const;
const [acme, other] = accounts;
/** An account with its namespaces, and nothing in them. */
const blank = `blank-${suffix}`;
const components = ['router', 'core', 'drive', 'apps'] as const;
const namespacesOf = (account: string): string[] => [
  account,
  ...components.map((component) => `${account}-${component}`),
];
const kubectl = (...words: string[]) => must('kubectl', words);
/** Everything that the API server checks, and nothing is made. */
const tryOut = (text: string) =>
  must('kubectl', ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'], text);

/** The Secret of an account, as docs/kubernetes.md has it made. */
async function makeAccount(account: string): Promise<void> {
  await kubectl('create', 'namespace', account);
  await kubectl('label', 'namespace', account, 'pod-security.kubernetes.io/enforce=restricted');
  await kubectl(
    ...['create', 'secret', 'generic', 'haic-secrets', '--namespace', account],
    `--from-literal=master-key=${randomBytes(32).toString('hex')}`,
    `--from-literal=database-url=postgres://${account}@database.example.org/haic`,
  );
}

const install = (account: string, ...more: string[]) => [
  ...['upgrade', '--install', 'haic', chart, '--namespace', account, '--values', example('smallest')],
  // Nothing here is run: what the images hold has tests of its own.
  ...['--no-hooks', '--set', `domain=${account}.example.org`, ...more],
];

describe('the chart of an account, at a real API server', () => {
  before(async () => {
    for (const account of accounts) await makeAccount(account);
    for (const name of namespacesOf(blank)) await kubectl('create', 'namespace', name);
  });
  after(async () => {
    const all = [...accounts, blank].flatMap(namespacesOf);
    await run('kubectl', ['delete', 'namespace', '--ignore-not-found', '--wait=false', ...all]);
  });

  it('refuses to be installed without its Secret, or with a key that is none', async () => {
    const secrets = [
      ['master-key', 'short'],
      ['nothing', 'x'],
    ] as const;
    for (const [key, value] of secrets) {
      const name = `haic-${key}`;
      await kubectl(
        'create',
        'secret',
        'generic',
        name,
        '-n',
        acme,
        `--from-literal=${key}=${value}`,
        '--from-literal=database-url=x',
      );
      const { code, stderr } = await run('helm', install(acme, '--set', `secrets.name=${name}`));
      assert.notEqual(code, 0);
      assert.match(stderr, key === 'nothing' ? /has no key master-key/ : /is not 64 hexadecimal digits/);
    }
    const { stderr } = await run('helm', install(acme, '--set', 'secrets.name=nowhere'));
    assert.match(stderr, /There is no Secret nowhere in the namespace/);
  });

  it('is installed, and each component has only the keys that it needs', async () => {
    for (const account of accounts) await must('helm', install(account));
    const secret = JSON.parse(
      await kubectl('get', 'secret', 'haic-secrets', '-n', `${acme}-router`, '-o', 'json'),
    ) as { data: Record<string, string> };
    assert.deepEqual(Object.keys(secret.data).toSorted(), ['database-url', 'master-key']);
    assert.match(await kubectl('get', 'secrets', '-n', `${acme}-apps`, '-o', 'name'), /^\s*$/);
    // Values of a release are read by more people than its Secrets are.
    const values = await must('helm', ['get', 'values', 'haic', '--all', '-n', acme]);
    assert.doesNotMatch(values, /[0-9a-f]{64}|postgres:\/\//);
  });

  it('makes pods that pass Pod Security restricted', async () => {
    const pods = (await render(example('replicated'), { namespace: acme }))
      .map((each) => ({ each, spec: podSpecOf(each) }))
      .filter(({ spec }) => spec !== undefined)
      .map(({ each, spec }) => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `pod-of-${each.metadata.name}`, namespace: each.metadata.namespace },
        spec: { ...spec, serviceAccountName: 'default' },
      }));
    assert.equal(pods.length, 4);
    await tryOut(pods.map((each) => JSON.stringify(each)).join('\n---\n'));
    // That it is enforced there, in each of its namespaces, and not only said.
    for (const namespace of namespacesOf(acme)) {
      const words = ['run', 'root', '--image=x', '--namespace', namespace, '--dry-run=server'];
      const { code, stderr } = await run('kubectl', words);
      assert.notEqual(code, 0, namespace);
      assert.match(stderr, /violates PodSecurity "restricted/);
    }
  });

  for (const name of ['smallest', 'replicated', 'workload-identity', 'gateway', 'emissary'] as const)
    it(`is made of what the API server takes, by the values of examples/${name}.yaml`, async () => {
      if (name === 'gateway' || name === 'emissary') await define(name === 'gateway' ? 'gateway-api' : name);
      const text = await renderText(example(name), {
        namespace: blank,
        set: ['monitoring.podMonitors=false'],
      });
      assert.ok(text.split(/^---$/m).length > 25);
      await tryOut(text);
    });

  it('shares nothing with another release in the cluster: rights, objects, names', async () => {
    const can = async (from: string, verb: string, what: string, namespace: string) =>
      (
        await run('kubectl', [
          ...['auth', 'can-i', verb, what, '--namespace', namespace],
          `--as=system:serviceaccount:${from}-core:core`,
        ])
      ).stdout.trim();
    assert.equal(await can(acme, 'create', 'deployments.apps', `${acme}-apps`), 'yes');
    assert.equal(await can(acme, 'get', 'secrets', `${acme}-apps`), 'yes');
    const own = namespacesOf(acme).filter((name) => name !== `${acme}-apps`);
    for (const namespace of [...own, ...namespacesOf(other), 'kube-system'])
      for (const what of ['secrets', 'pods'])
        assert.equal(await can(acme, 'get', what, namespace), 'no', `${what} in ${namespace}`);
    for (const what of ['nodes', 'namespaces', 'clusterroles.rbac.authorization.k8s.io'])
      assert.equal(await can(acme, 'list', what, ''), 'no', what);

    const all = JSON.parse(
      await kubectl(
        'get',
        'deployments,services,ingresses',
        '-A',
        '-l',
        'app.kubernetes.io/name=haic',
        '-o',
        'json',
      ),
    ) as { items: Rendered[] };
    const hosts = (account: string) =>
      all.items
        .filter(
          ({ kind, metadata }) => kind === 'Ingress' && metadata.labels?.['haic.io/account'] === account,
        )
        .flatMap(({ spec }) =>
          (spec as unknown as { rules: { host: string }[] }).rules.map(({ host }) => host),
        );
    assert.equal(hosts(acme).length, 4);
    assert.deepEqual(
      hosts(acme).filter((host) => hosts(other).includes(host)),
      [],
    );
    for (const { metadata } of all.items)
      assert.ok(metadata.namespace?.startsWith(`${metadata.labels?.['haic.io/account']}-`), metadata.name);
    const [a, b] = await Promise.all(
      accounts.map((account) =>
        kubectl(
          'get',
          'secret',
          'haic-secrets',
          '-n',
          `${account}-core`,
          '-o',
          'jsonpath={.data.master-key}',
        ),
      ),
    );
    assert.notEqual(a, b);
  });

  it('is refused a second time in the same namespace', async () => {
    const { code, stderr } = await run('helm', [
      ...['install', 'another', chart, '--namespace', acme, '--values', example('smallest'), '--no-hooks'],
    ]);
    assert.notEqual(code, 0);
    assert.match(stderr, /invalid ownership metadata|cannot be imported/);
  });

  it('goes without what people keep, and without anything of the other', async () => {
    await must('helm', ['uninstall', 'haic', '--namespace', acme, '--no-hooks']);
    assert.match(
      await kubectl('get', 'namespaces', `${acme}-apps`, `${acme}-core`, '-o', 'name'),
      /apps[\s\S]*core/,
    );
    assert.match(await kubectl('get', 'pvc', '-n', `${acme}-core`, '-o', 'name'), /core/);
    assert.match(await kubectl('get', 'deployments', '-n', `${other}-router`, '-o', 'name'), /router/);
    // And is back where it was, once the others of its namespaces are gone.
    const gone = `namespace/${acme}-router`;
    await kubectl('wait', '--for=delete', '--timeout=120s', gone);
    await must('helm', install(acme));
    assert.match(await kubectl('get', 'deployments', '-n', `${acme}-core`, '-o', 'name'), /core/);
  });
});
