import { Button, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import { PageHeader } from './page-header.tsx';

export const NotFoundPage = ({ what = 'This page' }: { what?: string }) => (
  <Stack align="flex-start">
    <PageHeader title="Not found" />
    <Text>{what} does not exist, or you may not see it.</Text>
    <Button component={Link} to="/">
      To the App Store
    </Button>
  </Stack>
);
