import { Button, Group, Progress, Stack, Text } from '@mantine/core';
import { Dropzone } from '@mantine/dropzone';
import { IconFileZip, IconUpload } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { useMe } from '../api/queries.ts';
import type { Visibility } from '../api/types.ts';
import { type UploadProgress, uploadBundle } from '../api/upload.ts';
import { Announce } from '../components/copy.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { VisibilityChoice } from '../components/visibility-choice.tsx';
import { BundleProblems } from './bundle-problems.tsx';

const suffix = /\.(wave|zip)$/i;

export function ImportPage() {
  const me = useMe();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [file, setFile] = useState<File>();
  const [visibility, setVisibility] = useState<Visibility>('PRIVATE');
  const [progress, setProgress] = useState<UploadProgress>();
  const [error, setError] = useState<unknown>();
  const [hint, setHint] = useState('');
  const upload = useRef<AbortController>(undefined);
  const busy = progress !== undefined;

  // Leaving the page ends the upload: a bundle that arrives after that would surprise.
  useEffect(() => () => upload.current?.abort(), []);

  const choose = (files: readonly File[]): void => {
    const first = files[0];
    if (first === undefined) return;
    setError(undefined);
    if (!suffix.test(first.name)) {
      setFile(undefined);
      setHint(`${first.name} is not a bundle: its name must end in .wave or .zip.`);
      return;
    }
    setHint('');
    setFile(first);
  };

  const start = async (bundle: File): Promise<void> => {
    const abort = new AbortController();
    upload.current = abort;
    setError(undefined);
    setProgress({ sent: 0, total: bundle.size });
    try {
      const app = await uploadBundle({
        file: bundle,
        visibility,
        signal: abort.signal,
        onProgress: setProgress,
      });
      await client.invalidateQueries({ queryKey: ['apps'] });
      await navigate(`/apps/${app.id}`, { replace: true });
    } catch (problem) {
      if (abort.signal.aborted) setHint('The upload was cancelled; nothing was imported.');
      else setError(problem);
      setProgress(undefined);
    }
  };

  if (me.data?.fullAccess === false) {
    return (
      <>
        <PageHeader title="Import an app" />
        <Text>Your role does not allow the import of apps.</Text>
      </>
    );
  }
  return (
    <>
      <PageHeader title="Import an app" hint="A bundle is a zip archive with an app.toml at its root." />
      <Stack gap="lg" maw={720}>
        <Dropzone
          onDrop={choose}
          multiple={false}
          disabled={busy}
          unstyled
          classNames={{ root: 'dropzone' }}
          inputProps={{ 'aria-label': 'Bundle file', accept: '.wave,.zip' } as React.ComponentProps<'input'>}
          aria-label="Choose a bundle file, or drop it here"
        >
          {file === undefined ? (
            <>
              <IconUpload size={34} stroke={1.5} aria-hidden="true" />
              <Text fw={600}>Drop a .wave file here, or press to choose one</Text>
              <Text size="sm" c="dimmed">
                .wave or .zip
              </Text>
            </>
          ) : (
            <>
              <IconFileZip size={34} stroke={1.5} aria-hidden="true" />
              <Text fw={600} className="break">
                {file.name}
              </Text>
              <Text size="sm" c="dimmed">
                {bytes(file.size)} · press to choose another
              </Text>
            </>
          )}
        </Dropzone>
        {hint !== '' && (
          <Text role="status" size="sm">
            {hint}
          </Text>
        )}
        <BundleProblems error={error} />
        <VisibilityChoice
          of="app"
          label="Who can see and run it"
          value={visibility}
          onChange={setVisibility}
          disabled={busy}
        />
        {progress !== undefined && <UploadMeter progress={progress} />}
        <Group>
          <Button
            onClick={() => file !== undefined && void start(file)}
            disabled={file === undefined || busy}
            leftSection={<IconUpload size={16} aria-hidden="true" />}
          >
            Import
          </Button>
          {busy && (
            <Button variant="default" onClick={() => upload.current?.abort()}>
              Cancel
            </Button>
          )}
        </Group>
      </Stack>
    </>
  );
}

function UploadMeter({ progress }: { progress: UploadProgress }) {
  const percent = progress.total === 0 ? 100 : Math.round((progress.sent / progress.total) * 100);
  const sent = percent >= 100;
  return (
    <div>
      <Group justify="space-between" mb={4}>
        <Text size="sm">{sent ? 'Uploaded. The bundle is being checked.' : 'Uploading'}</Text>
        <Text size="sm" className="numbers">
          {bytes(progress.sent)} of {bytes(progress.total)} · {percent} %
        </Text>
      </Group>
      <Progress value={percent} animated={sent} aria-label="Upload" />
      <Announce text={sent ? 'Uploaded. The bundle is being checked.' : ''} />
    </div>
  );
}

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  if (count < 1_000_000) return `${(count / 1000).toFixed(0)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}
