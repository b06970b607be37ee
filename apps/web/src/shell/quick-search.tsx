import { ActionIcon } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useState } from 'react';

// The palette is for those who like keyboards; nobody else should wait for it.
const SearchPalette = lazy(async () => ({ default: (await import('./search-palette.tsx')).SearchPalette }));

export function QuickSearch() {
  const [wanted, setWanted] = useState(0);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (
        event.key.toLowerCase() !== 'k' ||
        !(event.ctrlKey || event.metaKey) ||
        event.altKey ||
        event.shiftKey
      ) {
        return;
      }
      event.preventDefault();
      setWanted((count) => count + 1);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  return (
    <>
      <ActionIcon
        variant="transparent"
        c="#fff"
        size="lg"
        aria-label="Search everywhere (Ctrl K)"
        title="Search everywhere (Ctrl K)"
        onClick={() => setWanted((count) => count + 1)}
      >
        <IconSearch size={18} aria-hidden="true" />
      </ActionIcon>
      {wanted > 0 && (
        <Suspense>
          <SearchPalette wanted={wanted} />
        </Suspense>
      )}
    </>
  );
}
