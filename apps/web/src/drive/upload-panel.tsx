import { Button, CloseButton, Group, Progress, Text } from '@mantine/core';
import { detailOf } from '../api/problem.ts';
import { Announce } from '../components/copy.tsx';
import classes from './drive.module.css';
import { bytes, count, nameOf } from './format.ts';
import {
  cancelUpload,
  clearUploads,
  isUnderWay,
  retryUpload,
  type Upload,
  type UploadState,
  useUploads,
} from './uploads.ts';

/** Of thousands, those that are done are told as a number. */
const mostShown = 50;
const order: Readonly<Record<UploadState, number>> = {
  ...{ TAKEN: 0, FAILED: 1, SENDING: 2, WAITING: 3, DONE: 4, CANCELLED: 5 },
};

/** Files on their way, each with how far it is. */
export function UploadPanel() {
  const uploads = useUploads();
  if (uploads.length === 0) return null;
  const underWay = uploads.filter(isUnderWay);
  const taken = uploads.filter(({ state }) => state === 'TAKEN');
  const failed = uploads.filter(({ state }) => state === 'FAILED');
  const done = uploads.filter(({ state }) => state === 'DONE');
  const total = underWay.reduce((sum, { size }) => sum + size, 0);
  const sent = underWay.reduce((sum, upload) => sum + upload.sent, 0);
  const shown = [...uploads]
    .sort((a, b) => order[a.state] - order[b.state] || a.id - b.id)
    .slice(0, mostShown);
  const title =
    underWay.length > 0
      ? `Uploading ${count(underWay.length)} ${underWay.length === 1 ? 'file' : 'files'}, ${bytes(sent)} of ${bytes(total)}`
      : `${count(done.length)} uploaded${failed.length + taken.length > 0 ? `, ${count(failed.length + taken.length)} not` : ''}`;
  return (
    <section className="panel" aria-label="Uploads" style={{ padding: 16 }}>
      <Group justify="space-between" gap="xs" mb="xs">
        <Text fw={600} size="sm">
          {title}
        </Text>
        <Group gap="xs">
          {taken.length > 1 && (
            <>
              <Button
                size="xs"
                variant="default"
                onClick={() => {
                  for (const each of taken) retryUpload(each, 'KEEP_BOTH');
                }}
              >
                Keep both of all
              </Button>
              <Button
                size="xs"
                variant="default"
                onClick={() => {
                  for (const each of taken) retryUpload(each, 'REPLACE');
                }}
              >
                Replace all
              </Button>
            </>
          )}
          {underWay.length > 1 && (
            <Button size="xs" variant="default" onClick={() => underWay.forEach(cancelUpload)}>
              Cancel all
            </Button>
          )}
          {underWay.length === 0 && (
            <CloseButton aria-label="Close the list of uploads" onClick={clearUploads} />
          )}
        </Group>
      </Group>
      <ul className={classes.uploads}>
        {shown.map((upload) => (
          <UploadRow key={upload.id} upload={upload} />
        ))}
      </ul>
      {uploads.length > shown.length && (
        <Text size="sm" c="dimmed">
          and {count(uploads.length - shown.length)} more
        </Text>
      )}
      <Announce text={underWay.length === 0 ? title : ''} />
    </section>
  );
}

function UploadRow({ upload }: { upload: Upload }) {
  const { state, size, sent } = upload;
  const name = nameOf(upload.key);
  const percent = size === 0 ? 0 : Math.min(100, Math.round((sent / size) * 100));
  return (
    <li>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Text size="sm" className="break" style={{ minWidth: 0 }}>
          {name}
        </Text>
        <Group gap="xs" wrap="nowrap">
          <Text size="sm" c="dimmed" className="numbers">
            {statusOf(upload, percent)}
          </Text>
          {isUnderWay(upload) && (
            <Button
              size="compact-xs"
              variant="default"
              aria-label={`Cancel ${name}`}
              onClick={() => cancelUpload(upload)}
            >
              Cancel
            </Button>
          )}
        </Group>
      </Group>
      {state === 'SENDING' && <Progress value={percent} size="sm" mt={6} aria-label={`Upload of ${name}`} />}
      {state === 'SENDING' && upload.resumed > 0 && (
        <Text size="xs" c="dimmed" mt={4}>
          Goes on where it was broken off: {bytes(upload.resumed)} were there already.
        </Text>
      )}
      {(state === 'FAILED' || state === 'TAKEN') && (
        <Group gap="xs" mt={6}>
          <Text size="sm" className="break" role="alert" style={{ flex: '1 1 240px' }}>
            {state === 'TAKEN' ? 'There is one of this name already.' : detailOf(upload.error)}
          </Text>
          {state === 'TAKEN' ? (
            <>
              <Button size="xs" variant="default" onClick={() => retryUpload(upload, 'KEEP_BOTH')}>
                Keep both
              </Button>
              <Button size="xs" variant="default" onClick={() => retryUpload(upload, 'REPLACE')}>
                Replace
              </Button>
              <Button size="xs" variant="default" onClick={() => cancelUpload(upload)}>
                Skip
              </Button>
            </>
          ) : (
            <Button size="xs" variant="default" onClick={() => retryUpload(upload)}>
              Try again
            </Button>
          )}
        </Group>
      )}
    </li>
  );
}

function statusOf(upload: Upload, percent: number): string {
  switch (upload.state) {
    case 'WAITING':
      return 'Waiting';
    case 'SENDING':
      return `${percent} % of ${bytes(upload.size)}${upload.retries > 0 ? ' · a part was tried again' : ''}`;
    case 'DONE':
      return `Uploaded, ${bytes(upload.size)}`;
    case 'CANCELLED':
      return 'Cancelled';
    default:
      return 'Not uploaded';
  }
}
