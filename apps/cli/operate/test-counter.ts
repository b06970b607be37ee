import type { TestEvent } from 'node:test/reporters';
import type { FailedTest, FileCounts } from './test-outcome.ts';

/**
 * A reporter of Node's test runner that writes one line of JSON at the end: how many tests of each file passed, failed and were skipped,
 * and what the failed ones said.
 */
export default async function* count(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files = new Map<string, FileCounts>();
  const names: string[] = [];
  for await (const event of events) {
    if (event.type === 'test:start') names.splice(event.data.nesting, Infinity, event.data.name);
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { name, nesting, details } = event.data;
    // A suite only groups tests; a file that could not be loaded fails as a test of its own and counts.
    if (details.type === 'suite') continue;
    const file = fileOf(event.data);
    const counts = files.get(file) ?? { file, passed: 0, failed: [], skipped: 0 };
    files.set(file, counts);
    if (event.data.skip !== undefined || event.data.todo !== undefined) counts.skipped += 1;
    else if (event.type === 'test:pass') counts.passed += 1;
    else counts.failed.push(failedTest([...names.slice(0, nesting), name], event.data.details.error));
  }
  yield `${JSON.stringify([...files.values()])}\n`;
}

/**
 * The file that was run. A test that is declared elsewhere, in a contract suite, has `file` for the place where it is written and `entryFile`
 * (Node 24, not in its types yet) for this.
 */
const fileOf = (data: { readonly name: string; readonly file?: string | undefined }): string =>
  'entryFile' in data && typeof data.entryFile === 'string' ? data.entryFile : (data.file ?? data.name);

function failedTest(names: readonly string[], error: Error): FailedTest {
  const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : error.message;
  return { name: names.join(' › '), said: cause.split('\n').slice(0, 30).join('\n') };
}
