import { Anchor, Button, Group, SegmentedControl, Skeleton, Text, Title } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api/http.ts';
import type { Me } from '../api/types.ts';
import { CodeBlock } from '../components/copy.tsx';
import {
  type CommandLineFile,
  firstLines,
  guessSystem,
  installLines,
  type System,
  systems,
} from './samples.ts';

const useCommandLine = () =>
  useQuery({
    queryKey: ['command-line'],
    queryFn: ({ signal }) => call<CommandLineFile>('/cli/version', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

/** The `h2o` command line: where to get it, and the first two commands. */
export function CommandLine({ environment }: { environment: Me['environment'] }) {
  const file = useCommandLine();
  const [system, setSystem] = useState<System>(() => guessSystem(navigator.userAgent));
  return (
    <section aria-labelledby="cli">
      <Title order={2} size="h4" mb="xs" id="cli">
        Command line
      </Title>
      <Text size="sm" mb="sm">
        <code>h2o</code> bundles, imports and runs apps, and shows their logs. It is one file and needs
        nothing but Node 20 or newer.
      </Text>
      {file.isPending && <Skeleton height={146} />}
      {file.isError && (
        <Text size="sm" role="status">
          This Haic offers no command line for download. Where it runs, it is <code>./haic</code>.
        </Text>
      )}
      {file.data !== undefined && (
        <>
          <Group gap="sm" mb="sm">
            <Button component="a" href="/cli/h2o" download="h2o" leftSection={<IconDownload size={16} />}>
              Download h2o {file.data.version}
            </Button>
            <SegmentedControl
              aria-label="Operating system"
              value={system}
              onChange={(value) => setSystem(systems.find((one) => one === value) ?? system)}
              data={[...systems]}
            />
          </Group>
          <CodeBlock code={installLines(system, environment, file.data)} what="the installation" />
        </>
      )}
      <Text size="sm" my="sm">
        Say where Haic is. You are asked for a{' '}
        <Anchor href="/auth/get-token" underline="always" size="sm">
          CLI token
        </Anchor>
        . With a certificate of your organisation’s own authority, add <code>--ca FILE</code>.
      </Text>
      <CodeBlock code={firstLines(system, environment)} what="the first commands" />
    </section>
  );
}
