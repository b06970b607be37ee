import { fileURLToPath } from 'node:url';
import type { ImageName } from '@haic/cli/images/images.ts';
import { proxyArguments } from './bases.ts';
import type { Engine } from './engine.ts';

const clone = fileURLToPath(new URL('../../../', import.meta.url));

export interface Build {
  readonly dockerfile: string;
  readonly tag: string;
  /** The clone without anything else. */
  readonly context?: string;
  /** Docker's own before BuildKit, which knows only what every builder knows. */
  readonly classic?: boolean;
}

/** `docker build`, as its documentation has it. Returns all that it said. */
export function build(engine: Engine, { dockerfile, tag, context = clone, classic }: Build): Promise<string> {
  const kind = classic === true ? 'DOCKER_BUILDKIT=0' : 'BUILDKIT_PROGRESS=plain';
  const words = ['--network', 'host', ...proxyArguments(), '--file', dockerfile, '--tag', tag, context];
  return engine.shell(`${kind} docker build "$@" 2>&1`, ...words);
}

export const dockerfileOf = (name: ImageName): string =>
  fileURLToPath(new URL(`../${name}/Dockerfile`, import.meta.url));

/** As the first lines of the Dockerfiles say. */
export const tagOf = (name: ImageName): string => `haic-${name}`;

export const buildImage = (engine: Engine, name: ImageName): Promise<string> =>
  build(engine, { dockerfile: dockerfileOf(name), tag: tagOf(name) });

/** Instructions that were carried out, and those whose result was there already, of what BuildKit said. */
export function instructionsIn(log: string): { readonly done: string[]; readonly cached: string[] } {
  const [done, cached]: [string[], string[]] = [[], []];
  const names = new Map<string, string>();
  for (const line of log.split('\n')) {
    const [, id = '', said = ''] = /^#(\d+) (.*)$/.exec(line) ?? [];
    const instruction = /^\[[^\]]*\d+\/\d+\] (.*)$/.exec(said)?.[1];
    if (instruction !== undefined) names.set(id, instruction);
    const name = names.get(id);
    if (name !== undefined && said === 'CACHED') cached.push(name);
    if (name !== undefined && said.startsWith('DONE ')) done.push(name);
  }
  return { done, cached };
}
