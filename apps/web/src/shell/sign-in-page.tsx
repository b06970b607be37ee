import { Button, Center, Container, Stack, Text, Title } from '@mantine/core';
import { useEffect } from 'react';
import { useLocation } from 'react-router';
import { Wordmark } from './logo.tsx';

/** For who is not signed in, at whatever address: the way through sign-in leads back to it. */
export function SignInPage({ ended }: { ended: boolean }) {
  const { pathname, search, hash } = useLocation();
  const next = `${pathname}${search}${hash}`;
  useEffect(() => {
    document.title = 'Sign in · Haic';
  }, []);
  return (
    <Center mih="100dvh" component="main">
      <Container size="xs" w="100%">
        <Stack className="panel" p={{ base: 'lg', sm: 40 }} gap="lg" align="flex-start">
          <Wordmark size={36} />
          <div>
            <Title order={1} size="h2">
              {ended ? 'Your session has ended' : 'Apps and AI, in one place'}
            </Title>
            <Text c="dimmed" mt="xs" aria-live="polite">
              {ended
                ? 'Sign in again to go on where you were.'
                : 'Run H2O Wave apps, watch them start, and open them under your own name.'}
            </Text>
          </div>
          <Button component="a" href={`/login?next=${encodeURIComponent(next)}`} size="md" fullWidth>
            Sign in
          </Button>
        </Stack>
      </Container>
    </Center>
  );
}
