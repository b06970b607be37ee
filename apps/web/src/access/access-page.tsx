import { Anchor, Button, Group, Stack, Text, Title } from '@mantine/core';
import { useMe } from '../api/queries.ts';
import type { Me } from '../api/types.ts';
import { CodeBlock, CopyIcon } from '../components/copy.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { PageLoading } from '../components/page-loading.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { CommandLine } from './command-line.tsx';
import { OneTimeToken } from './one-time-token.tsx';
import { cliConfig, curlSample, pythonInstall, pythonSample } from './samples.ts';

export function AccessPage() {
  const me = useMe();
  if (me.isPending) return <PageLoading />;
  if (me.data === undefined) return <ProblemNotice error={me.error} onRetry={() => void me.refetch()} />;
  return <Access me={me.data} />;
}

function Access({ me }: { me: Me }) {
  const { environment } = me;
  return (
    <>
      <PageHeader title="CLI & API access" hint="What command line tools and programs need to act for you." />
      <Stack gap="xl" maw={860}>
        <OneTimeToken />
        <section aria-labelledby="addresses">
          <Title order={2} size="h4" mb="sm" id="addresses">
            Addresses
          </Title>
          <dl className="facts">
            <Fact name="Endpoint URL" value={environment.publicUrl} />
            <Fact name="OIDC URL" value={environment.issuerUrl} />
            <Fact name="Token endpoint" value={environment.tokenEndpoint} />
            <Fact name="Platform client id" value={environment.platformClientId} />
            <Fact name="CLI client id" value={environment.cliClientId} />
          </dl>
        </section>
        <section aria-labelledby="tokens">
          <Title order={2} size="h4" mb="xs" id="tokens">
            Tokens
          </Title>
          <Text size="sm" mb="sm">
            The platform token works with every service and the Python clients; the CLI token only with the
            command line. Both are refresh tokens: they let their holder act for you until they are revoked,
            so keep them like a password.
          </Text>
          <Group gap="sm" mb="sm">
            <Button component="a" href="/auth/get-platform-token">
              Get a platform token
            </Button>
            <Button component="a" href="/auth/get-token" variant="default">
              Get a CLI token
            </Button>
          </Group>
          <Text size="sm" c="dimmed" mb={4}>
            On the machine of the platform, a script gets one without a browser:
          </Text>
          <CodeBlock code={`./haic token --user ${me.username}`} what="the command" />
        </section>
        <CommandLine environment={environment} />
        <section aria-labelledby="config">
          <Title order={2} size="h4" mb="xs" id="config">
            Configuration file
          </Title>
          <Text size="sm" mb="sm">
            What <code>h2o config setup</code> writes to <code>~/.h2oai/h2o-cli-config.toml</code>. The Python
            clients read it too.
          </Text>
          <CodeBlock code={cliConfig(environment)} what="the configuration" />
        </section>
        <section aria-labelledby="python">
          <Title order={2} size="h4" mb="xs" id="python">
            Python
          </Title>
          <Text size="sm" mb="sm">
            With the official packages. The token comes from the file above or from{' '}
            <code>H2O_CLOUD_CLIENT_PLATFORM_TOKEN</code>.
          </Text>
          <Stack gap="xs">
            <CodeBlock code={pythonInstall} what="the installation of the packages" />
            <CodeBlock code={pythonSample(environment)} what="the Python sample" />
          </Stack>
        </section>
        <section aria-labelledby="curl">
          <Title order={2} size="h4" mb="xs" id="curl">
            Any other program
          </Title>
          <Text size="sm" mb="sm">
            Exchange the platform token for an access token of a few minutes; with the command line it is{' '}
            <code>h2o platform access-token</code>. What can be called is in the{' '}
            <Anchor href="/api/v1/openapi.json" underline="always" size="sm">
              API description
            </Anchor>{' '}
            (OpenAPI); where the services are says{' '}
            <Anchor href="/.ai.h2o.cloud.discovery/v1/services" underline="always" size="sm">
              discovery
            </Anchor>
            .
          </Text>
          <CodeBlock code={curlSample(environment)} what="the curl sample" />
        </section>
      </Stack>
    </>
  );
}

const Fact = ({ name, value }: { name: string; value: string }) => (
  <>
    <dt>{name}</dt>
    <dd style={{ display: 'flex', alignItems: 'center', gap: 4 }}>
      <code className="break">{value}</code>
      <CopyIcon text={value} what={name} />
    </dd>
  </>
);
