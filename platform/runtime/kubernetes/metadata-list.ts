import type { KubeApi } from './api.ts';
import type { KubeObject } from './objects.ts';

const pageSize = 500;

interface Page {
  readonly metadata: { readonly continue?: string };
  /** Null where there are none, unlike in lists of whole objects. */
  readonly items: readonly KubeObject[] | null;
}

/** What a collection holds, page by page and without its content: a namespace of thousands of Secrets is megabytes of it. */
export async function* listMetadata(
  api: KubeApi,
  path: string,
  labelSelector: string,
  signal: AbortSignal,
): AsyncGenerator<KubeObject> {
  let next: string | undefined;
  do {
    const query = { labelSelector, limit: pageSize, continue: next };
    const page: Page = await api.json({ path, query, metadataOnly: true, signal });
    yield* page.items ?? [];
    next = page.metadata.continue || undefined;
  } while (next !== undefined);
}
