import { Button, Container, Stack, Text, Title } from '@mantine/core';
import { Component, type ReactNode } from 'react';

interface State {
  readonly error: Error | undefined;
}

/**
 * The last resort: a fault of a page never leaves a blank screen. React offers this only as a class. `resetKey`: another value
 * (another page) tries again.
 */
export class ErrorBoundary extends Component<{ children: ReactNode; resetKey?: string }, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidUpdate(before: { resetKey?: string }): void {
    if (this.state.error !== undefined && before.resetKey !== this.props.resetKey) {
      this.setState({ error: undefined });
    }
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    // After an update of the platform the old page asks for files that are gone: a reload brings the new one.
    const outdated = /dynamically imported module|module script failed/i.test(error.message);
    return (
      <Container size="sm" py="xl" role="alert">
        <Stack align="flex-start">
          <Title order={1} size="h2">
            {outdated ? 'This page could not be loaded' : 'This page has a fault'}
          </Title>
          <Text>
            {outdated
              ? 'The portal has been updated, or the platform did not answer. Reload to go on.'
              : 'It is not your doing, and nothing was lost. Reload the page; if it happens again, tell who runs this platform.'}
          </Text>
          {!outdated && (
            <pre className="code break" style={{ whiteSpace: 'pre-wrap', maxWidth: '100%' }}>
              {error.message}
            </pre>
          )}
          <Button onClick={() => location.reload()}>Reload</Button>
        </Stack>
      </Container>
    );
  }
}
