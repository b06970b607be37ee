import { Modal, Stack, Text, Title } from '@mantine/core';
import { Link } from 'react-router';
import { useMe } from '../api/queries.ts';
import { CodeBlock } from '../components/copy.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { useDrive } from './queries.ts';
import { awsProfile, awsSample, pythonInstall, pythonSample } from './samples.ts';

/** How programs come to the folder that is open. */
export function SnippetsDialog(props: { bucket: string; folder: string; onClose: () => void }) {
  useReturnFocus();
  const me = useMe();
  const drive = useDrive();
  const publicUrl = me.data?.environment.publicUrl ?? location.origin;
  return (
    <Modal opened onClose={props.onClose} title="From programs" size="lg" centered>
      <Stack>
        <Text size="sm">
          A program needs a platform token, from <Link to="/cli-and-api-access">CLI & API access</Link>. Apps
          that you run here have one already.
        </Text>
        <section aria-labelledby="drive-python">
          <Title order={2} size="h5" mb="xs" id="drive-python">
            Python
          </Title>
          <Stack gap="xs">
            <CodeBlock code={pythonInstall} what="the installation of the package" />
            <CodeBlock code={pythonSample(publicUrl, props.bucket, props.folder)} what="the Python sample" />
          </Stack>
        </section>
        <section aria-labelledby="drive-aws">
          <Title order={2} size="h5" mb="xs" id="drive-aws">
            AWS command line, and other S3 programs
          </Title>
          <Stack gap="xs">
            <CodeBlock code={awsProfile(publicUrl)} what="the profile" />
            <CodeBlock code={awsSample(props.bucket, props.folder)} what="the commands" />
            {drive.data !== undefined && (
              <Text size="sm" c="dimmed" className="break">
                S3 is at {drive.data.driveUrl} (path style), and temporary keys are given out at{' '}
                {drive.data.stsUrl}.
              </Text>
            )}
          </Stack>
        </section>
      </Stack>
    </Modal>
  );
}
