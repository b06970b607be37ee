import { Alert, Button, Group, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Age } from '../components/time.tsx';
import { abortUpload, lookAgain, useOpenUploads } from './queries.ts';
import type { OpenUpload } from './types.ts';
import { isUnderWay, useUploads } from './uploads.ts';

const mostShown = 5;

/** Uploads in parts that a reload or a lost connection broke off. */
export function OpenUploads({ bucket }: { bucket: string }) {
  const client = useQueryClient();
  const uploads = useUploads();
  const open = useOpenUploads(bucket, true);
  const [error, setError] = useState<unknown>();
  const isHere = ({ key }: OpenUpload) =>
    uploads.some(
      (upload) =>
        upload.bucket === bucket && upload.key === key && (isUnderWay(upload) || upload.state === 'FAILED'),
    );
  const left = (open.data?.items ?? []).filter((upload) => !isHere(upload));
  if (left.length === 0) return null;
  const discard = async (upload: OpenUpload): Promise<void> => {
    setError(undefined);
    await abortUpload(bucket, upload).catch(setError);
    lookAgain(client, bucket);
  };
  return (
    <Alert variant="outline" className="notice" title="Unfinished uploads">
      <Text size="sm" mb="xs">
        Choose the same file in the same folder again, and its upload goes on where it was broken off.
      </Text>
      {left.slice(0, mostShown).map((upload) => (
        <Group key={upload.uploadId} justify="space-between" gap="xs" wrap="nowrap">
          <Text size="sm" className="break">
            {upload.key}, begun <Age iso={upload.startedAt} />
          </Text>
          <Button
            size="compact-sm"
            variant="default"
            aria-label={`Discard ${upload.key}`}
            onClick={() => void discard(upload)}
          >
            Discard
          </Button>
        </Group>
      ))}
      {left.length > mostShown && (
        <Text size="sm" c="dimmed">
          and {left.length - mostShown} more
        </Text>
      )}
      <ProblemNotice error={error} />
    </Alert>
  );
}
