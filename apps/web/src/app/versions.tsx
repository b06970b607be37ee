import { Anchor, Button, Table, Text, Title, VisuallyHidden } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { App, AppVersion } from '../api/types.ts';
import { Age } from '../components/time.tsx';
import { RunDialog } from './run-dialog.tsx';

/** All versions of an app. Each can be run from here: going back to an older one is running it. */
export function Versions({ app, versions }: { app: App; versions: readonly AppVersion[] }) {
  const [running, setRunning] = useState<AppVersion>();
  return (
    <section aria-label="Versions">
      <Title order={2} size="h4" mb="sm">
        Versions
      </Title>
      <Table maw={640} withRowBorders layout="fixed" verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Version</Table.Th>
            <Table.Th>Imported</Table.Th>
            <Table.Th w={90}>
              <VisuallyHidden>Run it</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {versions.map((version) => (
            <Table.Tr key={version.id}>
              <Table.Td className="break">
                <VersionName version={version} isCurrent={version.id === app.id} />
              </Table.Td>
              <Table.Td>
                <Age iso={version.createdAt} />
              </Table.Td>
              <Table.Td ta="right">
                {version.precondition === 'FAILED' && (
                  <Text size="xs" c="dimmed">
                    cannot run
                  </Text>
                )}
                {version.canRun && (
                  <Button
                    size="xs"
                    variant="default"
                    aria-label={`Run version ${version.version}`}
                    onClick={() => setRunning(version)}
                  >
                    Run
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {running !== undefined && (
        <RunDialog
          app={{ id: running.id, title: `${app.title} ${running.version}` }}
          onClose={() => setRunning(undefined)}
        />
      )}
    </section>
  );
}

const VersionName = ({ version, isCurrent }: { version: AppVersion; isCurrent: boolean }) =>
  isCurrent ? (
    <Text component="span" size="sm" fw={600} aria-current="page">
      {version.version} (this one)
    </Text>
  ) : (
    <Anchor component={Link} to={`/apps/${version.id}`} underline="always" size="sm">
      {version.version}
    </Anchor>
  );
