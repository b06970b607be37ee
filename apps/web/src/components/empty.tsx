import { Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

export const Empty = (props: { title: string; children: ReactNode }) => (
  <Stack className="panel" p="xl" align="center" ta="center" gap="sm">
    <Title order={2} size="h4">
      {props.title}
    </Title>
    <Text c="dimmed" component="div" maw={520} w="100%">
      {props.children}
    </Text>
  </Stack>
);
