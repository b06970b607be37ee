import { Button, Group } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useSearchParams } from 'react-router';
import type { App } from '../api/types.ts';

const mostShown = 12;

/** What is filtered by lives in the address (`?tag=`), like what is searched for. */
export function useTagParam(): string | undefined {
  const [parameters] = useSearchParams();
  return parameters.get('tag') ?? undefined;
}

/** The tags that the apps on the page carry, the most frequent first. One at a time; pressing it again shows everything. */
export function TagFilter({ apps }: { apps: readonly App[] }) {
  const [parameters, setParameters] = useSearchParams();
  const chosen = parameters.get('tag') ?? undefined;
  const tags = frequentTags(apps, chosen);
  if (tags.length === 0) return null;
  const choose = (tag: string | undefined): void =>
    setParameters(() => {
      // Not what the last render saw: a search that was cleared since then would be back.
      const next = new URLSearchParams(window.location.search);
      if (tag === undefined) next.delete('tag');
      else next.set('tag', tag);
      return next;
    });
  return (
    <Group gap={6} role="group" aria-label="Only apps with the tag">
      {tags.map((tag) => (
        <Button
          key={tag}
          size="compact-sm"
          variant={tag === chosen ? 'filled' : 'default'}
          aria-pressed={tag === chosen}
          onClick={() => choose(tag === chosen ? undefined : tag)}
          rightSection={tag === chosen ? <IconX size={12} aria-hidden="true" /> : undefined}
          maw="100%"
        >
          {tag}
        </Button>
      ))}
    </Group>
  );
}

function frequentTags(apps: readonly App[], chosen: string | undefined): readonly string[] {
  const counts = new Map<string, number>();
  for (const tag of apps.flatMap((app) => app.tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  const frequent = [...counts]
    .toSorted(([a, most], [b, less]) => less - most || a.localeCompare(b))
    .slice(0, mostShown)
    .map(([tag]) => tag);
  return chosen === undefined || frequent.includes(chosen) ? frequent : [chosen, ...frequent];
}
