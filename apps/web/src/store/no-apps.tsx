import { Button, Group, Text } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { Link } from 'react-router';
import { CodeBlock } from '../components/copy.tsx';
import { Empty } from '../components/empty.tsx';

export const ImportButton = () => (
  <Button component={Link} to="/import" leftSection={<IconUpload size={16} aria-hidden="true" />}>
    Import an app
  </Button>
);

export const NothingFound = ({ query, tag }: { query: string; tag?: string | undefined }) => (
  <Empty title={query === '' ? `No app carries the tag “${tag}”` : `Nothing found for “${query}”`}>
    {tag !== undefined && query !== '' && `Only apps with the tag “${tag}” were looked at. `}
    Names, titles, descriptions and tags were searched. Try fewer or other words.
  </Empty>
);

export const NoApps = ({ title, mayImport }: { title: string; mayImport: boolean }) => (
  <Empty title={title}>
    {mayImport ? (
      <>
        <Text inherit mb="md">
          An app comes as a bundle, a <code>.wave</code> file. Import one here, or from the command line:
        </Text>
        <div style={{ textAlign: 'left' }}>
          <CodeBlock code="./haic app import my-app.wave" what="the command" />
        </div>
        <Group justify="center" mt="md">
          <ImportButton />
        </Group>
      </>
    ) : (
      'Apps appear here as soon as somebody shares one with you.'
    )}
  </Empty>
);
