import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { deeds, kinds } from '../src/audit/sentence.ts';

const root = path.join(import.meta.dirname, '../../..');

/** Texts with a beginning of an action that name none: an expression or a beginning by which events are looked for. */
const notNames = ["'actions/audittrail/trails/'", "'actions/unknown'"];

/** Every action that is written out in the code, and every text that begins like one and is none. */
function actionsInSource(): {
  readonly actions: ReadonlySet<string>;
  readonly unreadable: readonly string[];
} {
  const actions = new Set<string>();
  const unreadable: string[] = [];
  const files = ['kit', 'platform', 'services', 'apps/server', 'apps/cli'].flatMap((folder) =>
    globSync(`${folder}/**/*.ts`, { cwd: root }),
  );
  for (const file of files) {
    if (/node_modules|\.test\.ts$|testing|fixture|\/gen\//.test(file)) continue;
    // Whose name begins with `<`, stands for any: in a comment.
    for (const [text] of readFileSync(path.join(root, file), 'utf8').matchAll(
      /['"`]actions\/[^<'"`][^'"`]*['"`]/g,
    )) {
      const name = text.slice(1, -1);
      if (/^actions(\/[a-zA-Z-]+){2}\/[A-Z_]+$/.test(name)) actions.add(name);
      else if (!notNames.includes(text)) unreadable.push(`${file}: ${text}`);
    }
  }
  return { actions, unreadable };
}

describe('the actions of the audit trail', () => {
  const { actions, unreadable } = actionsInSource();

  it('are all written out where they are made', () => {
    assert.deepEqual(unreadable, []);
    assert.ok(actions.size > 80 && actions.has('actions/drive/shares/DELETE'));
  });

  it('each have a sentence in the portal', () => {
    const without = [...actions].filter((action) => !Object.hasOwn(deeds, action));
    assert.deepEqual(without, [], 'A new action gets its words in apps/web/src/audit/sentence.ts.');
  });

  it('are each found by one of the groups to filter by', () => {
    for (const action of actions)
      assert.equal(kinds.filter(({ expression }) => new RegExp(expression).test(action)).length, 1, action);
  });

  it('are no others than those that have a sentence', () => {
    assert.deepEqual(
      Object.keys(deeds).filter((action) => !actions.has(action)),
      [],
      'No code makes these any more.',
    );
  });
});
