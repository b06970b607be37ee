import { Button, Center } from '@mantine/core';

/** The next page of a list, where there is one. */
export function More(props: {
  of: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> };
}) {
  if (!props.of.hasNextPage) return null;
  return (
    <Center>
      <Button
        variant="default"
        onClick={() => void props.of.fetchNextPage()}
        loading={props.of.isFetchingNextPage}
      >
        Show more
      </Button>
    </Center>
  );
}
