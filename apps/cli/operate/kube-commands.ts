import process from 'node:process';
import { readSettings } from '@haic/server/settings.ts';
import { type Command, InvalidArgumentError } from 'commander';

interface KubeFlags {
  readonly name: string;
  readonly image: readonly string[];
  readonly fakeNodes: number;
  readonly json?: boolean;
  readonly node?: boolean;
}

const cache = () => readSettings(process.env).cache;
function countOf(value: string): number {
  const count = Number(value);
  if (Number.isInteger(count) && count >= 0 && count <= mostFakeNodes) return count;
  throw new InvalidArgumentError(`It is a number from 0 to ${mostFakeNodes}.`);
}
const mostFakeNodes = 500;
const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

/** A real Kubernetes on this machine, for developers and tests. */
export function kubeCommands(program: Command): void {
  const kube = program
    .command('kube')
    .description('a real Kubernetes on this machine, for development and tests');
  const command = (words: string, description: string) =>
    kube.command(words).description(description).option('--name <name>', 'which, of several', 'default');
  command('up', 'start one; the first time it is built, which takes minutes')
    .option('--image <file>', 'an image to import, as `docker save` writes it; repeat for more', collect, [])
    .option(
      '--fake-nodes <count>',
      'so many nodes more that only say that they run what is bound to them',
      countOf,
      0,
    )
    .action(async ({ name, image, fakeNodes }: KubeFlags) =>
      (await import('./kube.ts')).kubeUp({ cache: cache(), name }, { images: image, fakeNodes }),
    );
  command('down', 'end it and remove all of it').action(async ({ name }: KubeFlags) =>
    (await import('./kube.ts')).kubeDown({ cache: cache(), name }),
  );
  kube
    .command('status')
    .description('which run')
    .option('--json', 'JSON on stdout')
    .action(async ({ json }: KubeFlags) =>
      (await import('./kube.ts')).kubeStatus(cache(), { json: json === true }),
    );
  command('exec [words...]', 'run a command in its network: kubectl, helm, a test')
    .option('--node', 'wholly inside, with the processes and mounts of its node')
    .passThroughOptions()
    .action(async (words: readonly string[], { name, node }: KubeFlags) =>
      (await import('./kube.ts')).kubeExec({ cache: cache(), name }, words, { onNode: node === true }),
    );
}
