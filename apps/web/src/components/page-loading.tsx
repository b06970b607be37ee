import { Skeleton, Stack } from '@mantine/core';

/** Holds the place of a page while its code or data comes, so that nothing jumps. */
export const PageLoading = () => (
  <Stack aria-busy="true" aria-label="Loading">
    <Skeleton h={34} w="min(260px, 70%)" />
    <Skeleton h={18} w="min(420px, 90%)" />
    <Skeleton h={260} mt="md" />
  </Stack>
);
