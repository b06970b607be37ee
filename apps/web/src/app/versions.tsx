import { Anchor, Table, Text, Title } from '@mantine/core';
import { Link } from 'react-router';
import type { AppVersion } from '../api/types.ts';
import { Age } from '../components/time.tsx';

export const Versions = (props: { current: string; versions: readonly AppVersion[] }) => (
  <section aria-label="Versions">
    <Title order={2} size="h4" mb="sm">
      Versions
    </Title>
    <Table maw={520} withRowBorders layout="fixed">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Version</Table.Th>
          <Table.Th>Imported</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {props.versions.map((version) => (
          <Table.Tr key={version.id}>
            <Table.Td className="break">
              {version.id === props.current ? (
                <Text component="span" size="sm" fw={600} aria-current="page">
                  {version.version} (this one)
                </Text>
              ) : (
                <Anchor component={Link} to={`/apps/${version.id}`} underline="always" size="sm">
                  {version.version}
                </Anchor>
              )}
            </Table.Td>
            <Table.Td>
              <Age iso={version.createdAt} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  </section>
);
