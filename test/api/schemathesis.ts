import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execute, type Haic } from '../support/haic.ts';
import { pythonWith } from '../support/python.ts';

const requirements = ['schemathesis==4.32.5', 'hypothesis==6.170.15'];

/**
 * What is checked of every answer. Not `positive_data_acceptance`: a made-up app does not exist, and that is no fault of the API. Not what follows
 * links between operations: what exists is given by name, below.
 */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
  'ignored_auth',
];

/** Operations and the values of parameters (`path.id`, `query.follow`) with which they meet something that exists. */
export type Existing = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Runs schemathesis, unmodified, on the description that Haic itself serves. Rejects with its report when it finds something. */
export async function runSchemathesis(
  haic: Haic,
  options: { token: string; existing: Existing; examples: number; excluded: readonly string[] },
): Promise<string> {
  const python = await pythonWith(requirements);
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-schemathesis-'));
  try {
    const config = path.join(directory, 'schemathesis.toml');
    await writeFile(config, configOf(options.existing));
    const args = [
      ...[
        '-m',
        'schemathesis.cli',
        '--config-file',
        config,
        '--no-color',
        'run',
        `${haic.url}/api/v1/openapi.json`,
      ],
      ...['-H', `Authorization: Bearer ${options.token}`],
      ...[
        '--phases',
        'coverage,fuzzing',
        '--checks',
        checks.join(','),
        '--max-examples',
        String(options.examples),
      ],
      // The same cases each time: what fails today fails tomorrow.
      ...['--seed', '20', '--generation-deterministic', '--no-shrink', '--suppress-health-check', 'all'],
      ...['--request-timeout', '30', '--warnings', 'off', '--continue-on-failure'],
      ...options.excluded.flatMap((id) => ['--exclude-operation-id', id]),
    ];
    const environment = { ...process.env, NO_PROXY: 'localhost', no_proxy: 'localhost', HOME: directory };
    // It leaves a folder of its findings where it runs.
    return await execute(python, args, environment, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const configOf = (existing: Existing): string =>
  Object.entries(existing)
    .map(([operation, values]) => {
      const lines = Object.entries(values).map(([name, value]) => `"${name}" = ${JSON.stringify(value)}`);
      return `[[operations]]\ninclude-operation-id = "${operation}"\n[operations.parameters]\n${lines.join('\n')}\n`;
    })
    .join('\n');
