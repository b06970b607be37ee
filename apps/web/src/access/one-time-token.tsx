import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';
import { call } from '../api/http.ts';
import { isRecord } from '../api/problem.ts';
import type { TokenKind } from '../api/types.ts';
import { CopyButton } from '../components/copy.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';

const names: Readonly<Record<TokenKind, string>> = { platform: 'platform token', cli: 'CLI token' };

type Reading =
  | { readonly state: 'none' }
  | { readonly state: 'reading' }
  | { readonly state: 'shown'; readonly kind: TokenKind; readonly token: string }
  | { readonly state: 'failed'; readonly error: unknown };

/**
 * Where `/auth/get-…-token` leads back to: `?token=platform|cli` says that a token waits to be read, once. It is held in this
 * component only: not in the address, the history, the cache or any storage.
 */
export function OneTimeToken() {
  const [parameters, setParameters] = useSearchParams();
  const [reading, setReading] = useState<Reading>({ state: 'none' });
  const [masked, setMasked] = useState(true);
  const asked = useRef(false);
  const kind = kindOf(parameters.get('token'));

  useEffect(() => {
    // Once, also under React's double effects: the second reading would find nothing.
    if (kind === undefined || asked.current) return;
    asked.current = true;
    setReading({ state: 'reading' });
    setParameters({}, { replace: true });
    call<unknown>('/session/one-time-token', { method: 'POST', body: { kind } }).then(
      (answer) => setReading({ state: 'shown', kind, token: tokenIn(answer) }),
      (error: unknown) => setReading({ state: 'failed', error }),
    );
  }, [kind, setParameters]);

  if (reading.state === 'none' || reading.state === 'reading') return null;
  if (reading.state === 'failed') {
    return <ProblemNotice error={reading.error} title="The token could not be read; get a new one below" />;
  }
  return (
    <Stack className="panel" component="section" p="lg" gap="sm" aria-label="Your new token">
      <Title order={2} size="h4">
        Your {names[reading.kind]}
      </Title>
      <Text size="sm" fw={600}>
        It is shown only this once. Copy it now; after a reload it is gone from this page.
      </Text>
      <code className="code break" data-testid="token" style={{ whiteSpace: 'pre-wrap' }}>
        {masked ? '•'.repeat(32) : reading.token}
      </code>
      <Group gap="sm">
        <CopyButton text={reading.token} label="Copy" />
        <Button variant="default" onClick={() => setMasked(!masked)} aria-pressed={!masked}>
          {masked ? 'Show' : 'Hide'}
        </Button>
        <Button variant="subtle" onClick={() => setReading({ state: 'none' })}>
          Done
        </Button>
      </Group>
    </Stack>
  );
}

const kindOf = (value: string | null): TokenKind | undefined =>
  value === 'platform' || value === 'cli' ? value : undefined;

function tokenIn(answer: unknown): string {
  if (isRecord(answer)) {
    if (typeof answer.token === 'string') return answer.token;
    if (typeof answer.refreshToken === 'string') return answer.refreshToken;
  }
  throw new Error('The platform gave no token. Get a new one below.');
}
