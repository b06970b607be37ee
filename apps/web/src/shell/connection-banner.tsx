import { Box, Loader, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { readSession } from '../api/http.ts';
import { sessionQuery } from '../api/queries.ts';
import { useReachable } from './reachable.ts';

const retrySeconds = 2;

/** Shown while the platform does not answer. Asks again by itself, and brings every page up to date when it is back. */
export function ConnectionBanner() {
  const reachable = useReachable();
  const client = useQueryClient();

  useEffect(() => {
    if (reachable) return;
    const abort = new AbortController();
    const timer = setInterval(() => {
      readSession(abort.signal).then(
        (session) => {
          client.setQueryData(sessionQuery.queryKey, session);
          void client.invalidateQueries();
        },
        () => {},
      );
    }, retrySeconds * 1000);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [reachable, client]);

  return (
    <div aria-live="polite" role="status">
      {!reachable && (
        <Box
          pos="fixed"
          bottom={16}
          left="50%"
          px="md"
          py="xs"
          style={{
            transform: 'translateX(-50%)',
            zIndex: 400,
            borderRadius: 10,
            background: '#141414',
            color: '#fff',
            border: '1px solid #ffd33d',
            display: 'flex',
            alignItems: 'center',
            gap: 12,
            width: 'max-content',
            maxWidth: 'calc(100vw - 32px)',
          }}
        >
          <Loader size="xs" color="#ffd33d" aria-hidden="true" />
          <Text size="sm">
            {navigator.onLine
              ? 'The platform does not answer just now. Running apps are not touched; this page goes on by itself.'
              : 'You are offline. This page goes on by itself.'}
          </Text>
        </Box>
      )}
    </div>
  );
}
