import { NativeSelect, Stack } from '@mantine/core';
import { useSearchParams } from 'react-router';
import { PageHeader } from '../components/page-header.tsx';
import { PageLoading } from '../components/page-loading.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Folder } from './folder.tsx';
import { useBucket } from './queries.ts';
import { UsageBar } from './usage-bar.tsx';
import { useBucketChoices } from './use-bucket-choices.ts';

/** Files of a person and of workspaces. Which bucket and folder is in the address (`?bucket=…&folder=…`), so both can be linked to. */
export function DrivePage() {
  const [parameters, setParameters] = useSearchParams();
  const bucketName = parameters.get('bucket') ?? '_my';
  const folder = parameters.get('folder') ?? '';
  const bucket = useBucket(bucketName);
  const choices = useBucketChoices();
  const go = (to: { bucket: string; folder: string }): void =>
    setParameters({
      ...(to.bucket === '_my' ? {} : { bucket: to.bucket }),
      ...(to.folder === '' ? {} : { folder: to.folder }),
    });
  return (
    <>
      <PageHeader
        title="Drive"
        hint="Files for you, your apps, notebooks and engines, and for the workspaces that you are in."
        actions={bucket.data !== undefined && <UsageBar usage={bucket.data.usage} />}
      />
      <Stack gap="md">
        {choices.length > 1 && (
          <NativeSelect
            label="Bucket"
            maw={420}
            value={bucketName}
            data={choices.map(({ value, label }) => ({ value, label }))}
            onChange={(event) => go({ bucket: event.currentTarget.value, folder: '' })}
          />
        )}
        <ProblemNotice error={bucket.error} onRetry={() => void bucket.refetch()} />
        {bucket.isPending && <PageLoading />}
        {bucket.data !== undefined && !bucket.isError && (
          <Folder
            key={`${bucketName} ${folder}`}
            bucket={bucket.data}
            folder={folder}
            root={choices.find(({ value }) => value === bucketName)?.label ?? bucketName}
            onFolder={(to) => go({ bucket: bucketName, folder: to })}
          />
        )}
      </Stack>
    </>
  );
}
