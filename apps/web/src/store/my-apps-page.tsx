import '@mantine/core/styles/CheckboxIndicator.css';
import '@mantine/core/styles/CheckboxCard.css';
import '@mantine/core/styles/Checkbox.css';
import { Button, Checkbox, Group, Stack, Text } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useApps } from '../api/queries.ts';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { AppGrid, AppGridLoading } from './app-grid.tsx';
import { DeleteAppsDialog } from './delete-apps-dialog.tsx';
import { ImportButton, NoApps, NothingFound } from './no-apps.tsx';
import { useRunningByApp } from './running.ts';

/** The apps one has imported, whoever sees them, each version by itself: each is shared and deleted by itself. */
export function MyAppsPage() {
  const query = useSearchParam();
  const apps = useApps({ query, mine: true });
  const running = useRunningByApp();
  const items = apps.data?.pages.flatMap((page) => page.items) ?? [];
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const [deleting, setDeleting] = useState(false);
  // What a search hides is not deleted unseen.
  const chosen = items.filter(({ id }) => ticked.has(id));
  const tick = (id: string, on: boolean): void =>
    setTicked((before) => new Set(on ? [...before, id] : [...before].filter((other) => other !== id)));

  return (
    <>
      <PageHeader title="My apps" hint="Apps that you imported." actions={<ImportButton />} />
      <Stack gap="lg">
        <Group justify="space-between">
          <SearchField label="Search my apps" />
          {chosen.length > 0 && (
            <Group gap="xs">
              <Text size="sm" c="dimmed" role="status">
                {chosen.length} selected
              </Text>
              <Button size="xs" variant="default" onClick={() => setTicked(new Set())}>
                Clear
              </Button>
              <Button
                size="xs"
                color="red.8"
                leftSection={<IconTrash size={14} aria-hidden="true" />}
                onClick={() => setDeleting(true)}
              >
                Delete
              </Button>
            </Group>
          )}
        </Group>
        {apps.isError && <ProblemNotice error={apps.error} onRetry={() => void apps.refetch()} />}
        {apps.isPending && <AppGridLoading />}
        {apps.isSuccess && items.length > 0 && (
          <AppGrid
            apps={apps}
            items={items}
            running={running}
            showVisibility
            controlOf={(app) => (
              <Checkbox
                className="card-control"
                aria-label={`Select ${app.title} ${app.version}`}
                checked={ticked.has(app.id)}
                onChange={(event) => tick(app.id, event.currentTarget.checked)}
              />
            )}
          />
        )}
        {apps.isSuccess && items.length === 0 && query !== '' && <NothingFound query={query} />}
        {apps.isSuccess && items.length === 0 && query === '' && (
          <NoApps title="You have not imported an app yet" mayImport />
        )}
      </Stack>
      {deleting && (
        <DeleteAppsDialog
          apps={chosen}
          onClose={() => setDeleting(false)}
          onDeleted={(id) => tick(id, false)}
        />
      )}
    </>
  );
}
