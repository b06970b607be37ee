import { Group, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';

export const useDocumentTitle = (title: string): void => {
  useEffect(() => {
    document.title = title === '' ? 'Haic' : `${title} · Haic`;
  }, [title]);
};

export function PageHeader(props: { title: string; hint?: ReactNode; actions?: ReactNode }) {
  useDocumentTitle(props.title);
  return (
    <Group justify="space-between" align="flex-start" mb="lg" gap="sm">
      <div style={{ minWidth: 0 }}>
        <Title order={1} size="h2" className="break">
          {props.title}
        </Title>
        {props.hint !== undefined && (
          <Text c="dimmed" size="sm" mt={4}>
            {props.hint}
          </Text>
        )}
      </div>
      {props.actions !== undefined && <Group gap="xs">{props.actions}</Group>}
    </Group>
  );
}
