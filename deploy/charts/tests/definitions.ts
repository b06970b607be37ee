import path from 'node:path';
import process from 'node:process';
import { definitionsIn } from '@haic/test-cluster/definitions.ts';
import { must } from './rendered.ts';

interface Definition {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly versions: { readonly name: string; storage: boolean }[];
    readonly conversion?: unknown;
  };
}

/** Resources of others, as their authors define them. */
export async function define(whose: 'gateway-api' | 'emissary'): Promise<void> {
  const folder = path.join(await definitionsIn(process.env.HAIC_CACHE ?? '/var/cache/haic'), whose);
  const text = await must('kubectl', ['create', '--dry-run=client', '-o', 'json', '-f', folder]);
  const definitions = documentsIn(text).map((each) => oneVersion(JSON.parse(each) as Definition));
  const list = { apiVersion: 'v1', kind: 'List', items: definitions };
  await must('kubectl', ['apply', '--server-side', '-f', '-'], JSON.stringify(list));
  const names = definitions.map(({ metadata }) => `crd/${metadata.name}`);
  await must('kubectl', ['wait', '--for=condition=established', '--timeout=60s', ...names]);
}

/** kubectl prints one object after the other. */
const documentsIn = (text: string): string[] => text.split(/^(?=\{)/m).filter((each) => each.trim() !== '');

/** Emissary turns its versions into each other by a service of its own, which is not there: only the one that we write stays. */
function oneVersion(definition: Definition): Definition {
  const { conversion, ...spec } = definition.spec;
  if (conversion === undefined) return definition;
  const versions = spec.versions
    .filter(({ name }) => name === 'v3alpha1')
    .map((each) => ({ ...each, storage: true }));
  return versions.length === 0 ? definition : { ...definition, spec: { ...spec, versions } };
}
