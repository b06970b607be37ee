import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadAllYaml } from '@kubernetes/client-node';

export const chart = fileURLToPath(new URL('../haic', import.meta.url));
export const example = (name: string): string =>
  fileURLToPath(new URL(`../haic/examples/${name}.yaml`, import.meta.url));
export const examples = [
  ...['smallest', 'replicated', 'gateway', 'emissary', 'given-namespaces', 'workload-identity'],
  'google-storage',
] as const;

export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly serviceAccountName?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly topologySpreadConstraints?: readonly unknown[];
  readonly containers: readonly {
    readonly name: string;
    readonly command?: readonly string[];
    readonly env: readonly { readonly name: string; readonly value?: string }[];
    readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
    readonly readinessProbe?: unknown;
    readonly livenessProbe?: unknown;
    readonly startupProbe?: unknown;
    readonly lifecycle?: { readonly preStop?: { readonly httpGet?: unknown } };
    readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  }[];
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function run(command: string, args: readonly string[], input?: string): Promise<Ran> {
  const child = promisify(execFile)(command, [...args], { maxBuffer: 2 ** 26, timeout: 120_000 });
  if (input !== undefined) child.child.stdin?.end(input);
  return child.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code?: number; stdout?: string; stderr?: string }) => ({
      code: error.code ?? 1,
      stdout: error.stdout ?? '',
      stderr: error.stderr ?? '',
    }),
  );
}

/** What must succeed. */
export async function must(command: string, args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, input);
  if (code !== 0)
    throw new Error(`${command} ${args.slice(0, 4).join(' ')}: ${stderr.trim()} ${stdout.trim()}`);
  return stdout;
}

interface RenderOptions {
  /** Default `acme`. */
  readonly namespace?: string;
  readonly set?: readonly string[];
  /** By their paths in values.yaml. */
  readonly values?: Readonly<Record<string, unknown>>;
}

/** As `helm template` renders it, without asking a cluster. */
export const renderText = (
  valuesFile: string,
  { namespace = 'acme', set = [], values = {} }: RenderOptions = {},
): Promise<string> =>
  must('helm', [
    ...['template', 'haic', chart, '--namespace', namespace, '--values', valuesFile],
    ...set.flatMap((each) => ['--set', each]),
    ...Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]),
  ]);

/** What it renders, as the official client reads it: `from` and `default` are `_from` and `_default` to it. */
export async function render(valuesFile: string, options: RenderOptions = {}): Promise<readonly Rendered[]> {
  const text = await renderText(valuesFile, options);
  // As plain data: the client makes objects of its own classes.
  const documents = JSON.parse(JSON.stringify(loadAllYaml(text))) as (Rendered | null)[];
  return documents.filter((document) => document !== null);
}

interface PodTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: PodSpec;
}
const templateOf = ({ spec }: Rendered): PodTemplate | undefined =>
  (spec as { template?: PodTemplate } | undefined)?.template;

export const podSpecOf = (rendered: Rendered): PodSpec | undefined => templateOf(rendered)?.spec;
export const podLabelsOf = (rendered: Rendered): Readonly<Record<string, string>> | undefined =>
  templateOf(rendered)?.metadata?.labels;

export const named = (
  documents: readonly Rendered[],
  kind: string,
  name?: string,
  namespace?: string,
): Rendered[] =>
  documents.filter(
    (each) =>
      each.kind === kind &&
      (name === undefined || each.metadata.name === name) &&
      (namespace === undefined || each.metadata.namespace === namespace),
  );
