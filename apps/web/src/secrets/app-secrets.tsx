import { SegmentedControl, Skeleton, Stack } from '@mantine/core';
import { useState } from 'react';
import { Empty } from '../components/empty.tsx';
import { More } from '../components/more.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { SearchField, useSearchParam } from '../components/search-field.tsx';
import { type Secret, type SecretVisibility, useRestoreSecret, useSecrets } from './queries.ts';
import { SecretTable } from './secret-table.tsx';
import { UndoNotice } from './undo-notice.tsx';
import { visibilityNames } from './visibility.tsx';

/** One's own secrets and those for all users; for administrators those of apps, too. */
export function AppSecrets({ isAdmin }: { isAdmin: boolean }) {
  const query = useSearchParam();
  const [visibility, setVisibility] = useState<SecretVisibility | ''>('');
  const [deleted, setDeleted] = useState<Secret>();
  const secrets = useSecrets({ query, visibility }, true);
  const restore = useRestoreSecret();
  const items = secrets.data?.pages.flatMap((page) => page.items) ?? [];
  const shown = isAdmin ? (['PRIVATE', 'ALL_USERS', 'APP'] as const) : (['PRIVATE', 'ALL_USERS'] as const);
  return (
    <Stack gap="lg">
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: 12, alignItems: 'center' }}>
        <SearchField label="Search secrets" />
        <SegmentedControl
          size="xs"
          aria-label="Whose apps may use them"
          value={visibility}
          onChange={(value) => setVisibility(value as SecretVisibility | '')}
          data={[
            { value: '', label: 'Mine and all' },
            ...shown.map((value) => ({ value, label: visibilityNames[value] })),
          ]}
        />
      </div>
      {deleted !== undefined && (
        <UndoNotice
          key={deleted.name}
          what={deleted.name}
          onUndo={() => restore.mutateAsync(deleted)}
          onClose={() => setDeleted(undefined)}
        />
      )}
      {secrets.isError && <ProblemNotice error={secrets.error} onRetry={() => void secrets.refetch()} />}
      {secrets.isPending && <Skeleton h={160} radius={12} aria-busy="true" aria-label="Loading secrets" />}
      {items.length > 0 && <SecretTable secrets={items} onDeleted={setDeleted} />}
      {secrets.isSuccess && items.length === 0 && (
        <Empty title={query === '' ? 'No secrets yet' : `Nothing found for “${query}”`}>
          {query === ''
            ? 'Keep a password or a token here, and name it in app.toml: the app gets it, and nobody sees it.'
            : 'Part of the name was searched.'}
        </Empty>
      )}
      <More of={secrets} />
    </Stack>
  );
}
