import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { unavailable } from '@haic/kit/errors.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { ApiError, type KubeApi } from './api.ts';
import { lean, leanController, leanPod } from './lean.ts';
import type { Deployment, KubeObject, Pod } from './objects.ts';
import { startReflector } from './reflector.ts';

type Watch = (from: string) => AsyncGenerator<string>;
const object = (name: string, resourceVersion: string, labels = {}): KubeObject => ({
  metadata: {
    name,
    uid: `uid-of-${name}`,
    resourceVersion,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels,
  },
});
const event = (type: string, what: unknown): string => JSON.stringify({ type, object: what });

/** An API server that answers as a script says: a real one expires a watch when it likes. The rest is tested on a real one. */
describe('a collection that is watched', () => {
  let over = new AbortController();
  afterEach(() => {
    over.abort();
    over = new AbortController();
  });
  function reflect(lists: readonly (readonly [string, readonly KubeObject[]])[], watches: readonly Watch[]) {
    const { signal } = over;
    const asked: string[] = [];
    const told: string[] = [];
    let [list, watch] = [0, 0];
    const quiet = () =>
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const api: KubeApi = {
      async json<T>(): Promise<T> {
        const [resourceVersion, items] = lists[list++] ?? (await quiet());
        asked.push(`list ${resourceVersion}`);
        // The caller knows the type that the script was written for.
        return { metadata: { resourceVersion }, items } as T;
      },
      async *lines({ query = {} }) {
        asked.push(`watch ${query.resourceVersion}`);
        const next = watches[watch++];
        if (next === undefined) await quiet();
        else yield* next(String(query.resourceVersion));
      },
      close: async () => {},
    };
    const reflector = startReflector<KubeObject>({
      api,
      kind: 'Thing',
      path: '/things',
      lean,
      groupOf: ({ metadata }) => metadata.labels?.group,
      changed: ({ metadata }) => void told.push(metadata.name),
      resyncMs: 600_000,
      logger: createLogger('test', 'silent'),
      signal,
    });
    const until = async (check: () => boolean) => {
      while (!check()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const names = () => [...reflector.all()].map(({ metadata }) => metadata.name);
    return { reflector, asked, told, until, names };
  }

  it('goes on from where a watch ended, which a bookmark may have moved', async () => {
    const { asked, until, names } = reflect(
      [['5', [object('a', '3')]]],
      [
        async function* () {
          yield event('ADDED', object('b', '6'));
          yield event('BOOKMARK', { metadata: { resourceVersion: '9' } });
        },
        async function* () {
          yield event('DELETED', object('a', '10'));
        },
      ],
    );
    await until(() => asked.length === 4);
    assert.deepEqual(asked, ['list 5', 'watch 5', 'watch 9', 'watch 10']);
    assert.deepEqual(names(), ['b']);
  });

  it('lists anew when the server keeps no changes from so far back, said by status or in the stream, and tells what is gone', async () => {
    const expired = { code: 410, reason: 'Expired', message: 'too old resource version' };
    const { asked, told, until, names } = reflect(
      [
        ['5', [object('a', '3'), object('b', '4')]],
        ['20', [object('b', '15')]],
        ['30', [object('b', '15'), object('c', '25')]],
      ],
      [
        // biome-ignore lint/correctness/useYield: it ends at once.
        async function* () {
          throw new ApiError(410, 'Expired', expired.message);
        },
        async function* () {
          yield event('ERROR', expired);
        },
      ],
    );
    await until(() => asked.length === 6);
    assert.deepEqual(asked, ['list 5', 'watch 5', 'list 20', 'watch 20', 'list 30', 'watch 30']);
    assert.deepEqual(names(), ['b', 'c']);
    assert.deepEqual(told, ['a', 'b', 'a', 'b', 'c']);
  });

  it('keeps of each object what is read here, however it came', async () => {
    const whole = (name: string, version: string): KubeObject => {
      const { metadata } = object(name, version);
      return { metadata: { ...metadata, managedFields: [{ manager: 'kubelet' }] } } as KubeObject;
    };
    const { reflector, until } = reflect(
      [['5', [whole('listed', '3')]]],
      [
        async function* () {
          yield event('ADDED', whole('watched', '6'));
        },
      ],
    );
    await until(() => reflector.get('watched') !== undefined);
    reflector.seen(whole('written', '7'));
    assert.equal([...reflector.all()].length, 3);
    for (const { metadata } of reflector.all()) assert.ok(!('managedFields' in metadata), metadata.name);

    const { metadata } = object('a', '1');
    const containers = [{ name: 'main', image: 'an-image' }];
    const labels = { revision: '1' };
    const deployment = {
      kind: 'Deployment',
      metadata,
      spec: { replicas: 1, template: { metadata: { labels, annotations: {} }, spec: { containers } } },
      status: { observedGeneration: 1 },
    } as const;
    assert.deepEqual(leanController<Deployment>(deployment), {
      ...deployment,
      spec: { replicas: 1, template: { metadata: { labels } } },
    });
    const pod = { metadata, spec: { nodeName: 'node1', containers }, status: { phase: 'Running' } } as const;
    assert.deepEqual(leanPod(pod satisfies Pod), { ...pod, spec: { nodeName: 'node1' } });
  });

  it('keeps what it has while the server is away, and says since when', async () => {
    const { reflector, until, names } = reflect(
      [
        ['5', [object('a', '3')]],
        ['7', [object('a', '3')]],
      ],
      [
        // biome-ignore lint/correctness/useYield: it ends at once.
        async function* () {
          throw unavailable('runtime_unavailable', 'connect ECONNREFUSED');
        },
      ],
    );
    await until(() => reflector.awaySince() !== undefined);
    assert.deepEqual(names(), ['a']);
    await until(() => reflector.awaySince() === undefined);
  });

  it('holds what was written here until the watch has come to it, and lets no older state back in', async () => {
    const { reflector, until, asked } = reflect(
      [
        ['5', [object('a', '3')]],
        ['8', [object('a', '3')]],
      ],
      [
        async function* () {
          yield event('MODIFIED', object('a', '6', { group: 'old' }));
          yield event('ERROR', { code: 410 });
        },
      ],
    );
    await reflector.synced;
    reflector.seen(object('a', '12', { group: 'new' }));
    reflector.seen(object('written', '13'));
    await until(() => asked.length === 4);
    assert.deepEqual(
      [reflector.group('new').length, reflector.group('old').length, reflector.get('written') !== undefined],
      [1, 0, true],
    );
  });
});
