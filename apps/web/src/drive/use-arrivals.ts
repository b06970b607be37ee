import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { lookAgain } from './queries.ts';
import { onArrival } from './uploads.ts';

/** The list follows what arrives, a few times a second at most. */
export function useArrivals(): void {
  const client = useQueryClient();
  useEffect(() => {
    const waiting = new Map<string, number>();
    onArrival((bucket) => {
      if (waiting.has(bucket)) return;
      const look = () => {
        waiting.delete(bucket);
        lookAgain(client, bucket);
      };
      waiting.set(bucket, window.setTimeout(look, 400));
    });
  }, [client]);
}
