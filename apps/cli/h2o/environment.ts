import { output, table } from '../terminal.ts';
import type { Api } from './api.ts';

interface RuntimeVersion {
  readonly name: string;
  /** `Default`, `Deprecated`, or nothing. */
  readonly status: string;
}

export async function listRuntimeVersions(api: Api, options: { json: boolean }): Promise<void> {
  const { items } = await api.json<{ items: readonly RuntimeVersion[] }>('GET', '/api/v1/runtime-versions');
  output(options.json, items, () =>
    table(
      ['NAME', 'STATUS'],
      items.map(({ name, status }) => [name, status]),
    ),
  );
}
