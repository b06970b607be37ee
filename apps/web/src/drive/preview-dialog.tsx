import { Button, Group, Loader, Modal, Stack, Text } from '@mantine/core';
import { IconDownload, IconLink } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { parseCsv } from './csv.ts';
import classes from './drive.module.css';
import { bytes, count, when } from './format.ts';
import { kindOfPreview } from './preview-kind.ts';
import { addressOf } from './queries.ts';
import { getBytes } from './send.ts';
import type { DriveEntry } from './types.ts';

const Markdown = lazy(async () => ({
  default: (await import('../app/long-description.tsx')).LongDescription,
}));

const textBytes = 256 * 1024;
const pictureBytes = 30 * 1000 * 1000;
const mostRows = 500;

/**
 * A look at a file. Whatever it is, it never becomes a document of its own here: text is shown as text, a table and Markdown are made of it by
 * what can make nothing else, and a picture is a picture. The rest is for downloading.
 */
export function PreviewDialog(props: {
  bucket: string;
  entry: DriveEntry;
  onDownload: () => void;
  onShare: () => void;
  onClose: () => void;
}) {
  const { entry } = props;
  useReturnFocus();
  return (
    <Modal opened onClose={props.onClose} title={entry.name} size="xl" centered>
      <Stack>
        <Group justify="space-between" gap="xs">
          <Text size="sm" c="dimmed">
            {bytes(entry.size ?? 0)}
            {entry.modifiedAt === undefined ? '' : ` · ${when(entry.modifiedAt)}`}
          </Text>
          <Group gap="xs">
            <Button
              size="xs"
              variant="default"
              leftSection={<IconLink size={14} aria-hidden="true" />}
              onClick={props.onShare}
            >
              Share by link
            </Button>
            <Button
              size="xs"
              leftSection={<IconDownload size={14} aria-hidden="true" />}
              onClick={props.onDownload}
            >
              Download
            </Button>
          </Group>
        </Group>
        <Content bucket={props.bucket} entry={entry} />
      </Stack>
    </Modal>
  );
}

function Content({ bucket, entry }: { bucket: string; entry: DriveEntry }) {
  const kind = kindOfPreview(entry.name);
  const isTooLarge = kind === 'picture' && (entry.size ?? 0) > pictureBytes;
  const found = useQuery({
    queryKey: ['drive', 'preview', bucket, entry.key, entry.etag],
    queryFn: async ({ signal }) => {
      const { url, size } = await addressOf(bucket, entry.key, 'INLINE', signal);
      if (kind === 'picture') return { url, text: '', isWhole: true };
      const read = await getBytes(url, textBytes, signal);
      return { url, text: new TextDecoder().decode(read), isWhole: read.length >= size };
    },
    enabled: kind !== 'none' && !isTooLarge,
    gcTime: 0,
    staleTime: 0,
    retry: false,
  });
  if (kind === 'none' || isTooLarge)
    return (
      <Text>
        {isTooLarge
          ? 'This picture is too large to be shown here.'
          : 'There is no preview for this kind of file.'}{' '}
        Download it to open it.
      </Text>
    );
  if (found.isError) return <ProblemNotice error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined) return <Loader size="sm" aria-label="Loading" />;
  const { url, text, isWhole } = found.data;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className={classes.viewer} tabIndex={0} aria-label={`Content of ${entry.name}`}>
        {kind === 'picture' && (
          <img
            src={url}
            alt={entry.name}
            className={classes.picture}
            crossOrigin="anonymous"
            referrerPolicy="no-referrer"
          />
        )}
        {kind === 'table' && <CsvTable text={text} isWhole={isWhole} />}
        {kind === 'markdown' && (
          <Suspense fallback={<Loader size="sm" />}>
            <Markdown markdown={text} />
          </Suspense>
        )}
        {kind === 'text' && <pre className={classes.text}>{text}</pre>}
      </section>
      {!isWhole && (
        <Text size="sm" c="dimmed">
          The first {bytes(textBytes)} of {bytes(entry.size ?? 0)}.
        </Text>
      )}
    </>
  );
}

function CsvTable({ text, isWhole }: { text: string; isWhole: boolean }) {
  const [head = [], ...rows] = parseCsv(text, { isWhole, mostRows: mostRows + 1 });
  return (
    <>
      <table className={classes.table}>
        <thead>
          <tr>
            {head.map((name, column) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns have no other identity
              <th key={column} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other identity
            <tr key={row}>
              {cells.map((cell, column) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: cells have no other identity
                <td key={column} title={cell}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length >= mostRows && (
        <Text size="sm" c="dimmed" mt="xs">
          The first {count(mostRows)} rows.
        </Text>
      )}
    </>
  );
}
