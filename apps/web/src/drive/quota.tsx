import { Button, Group, Modal, Radio, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { bytes, count } from './format.ts';
import {
  bytesOf,
  type DriveQuota,
  gigabytesOf,
  type QuotaHolder,
  useQuota,
  useSetQuota,
  type WantedQuota,
} from './quotas.ts';

interface Props {
  readonly holder: QuotaHolder;
  /** As people call whom it is of. */
  readonly name: string;
}

/** How much somebody or a workspace keeps in Drive and may keep; for administrators, who change it. */
export function Quota(props: Props) {
  const quota = useQuota(props.holder);
  const [changing, setChanging] = useState(false);
  if (quota.data === undefined) return quota.isError ? 'not known just now' : '…';
  return (
    <>
      {inWords(quota.data)}{' '}
      <Button
        variant="subtle"
        size="compact-sm"
        onClick={() => setChanging(true)}
        aria-label={`Change the quota of ${props.name}`}
      >
        Change quota
      </Button>
      {changing && <QuotaDialog {...props} quota={quota.data} onClose={() => setChanging(false)} />}
    </>
  );
}

/** "1.2 GB in 340 objects, of 50 GB (as everybody)" */
function inWords({ usage, isDefault }: DriveQuota): string {
  const limit = usage.quota === null ? 'no limit' : `of ${bytes(usage.quota)}`;
  const objects = `${count(usage.objects)} ${usage.objects === 1 ? 'object' : 'objects'}`;
  return `${bytes(usage.bytes)} in ${objects}, ${limit}${isDefault ? ' (the default)' : ''}`;
}

type Choice = 'default' | 'limit' | 'none';

const choiceOf = ({ usage, isDefault }: DriveQuota): Choice =>
  isDefault ? 'default' : usage.quota === null ? 'none' : 'limit';

function QuotaDialog(props: Props & { quota: DriveQuota; onClose: () => void }) {
  useReturnFocus();
  const { quota, onClose } = props;
  const set = useSetQuota(props.holder);
  const [choice, setChoice] = useState(choiceOf(quota));
  const [gigabytes, setGigabytes] = useState(
    quota.usage.quota === null ? '' : gigabytesOf(quota.usage.quota),
  );
  const limit = bytesOf(gigabytes);
  const wanted: WantedQuota | undefined = choice === 'limit' ? limit : choice === 'none' ? null : 'default';

  const save = (event: FormEvent): void => {
    event.preventDefault();
    if (wanted !== undefined) set.mutate(wanted, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={`Quota of ${props.name} in Drive`} centered>
      <form onSubmit={save}>
        <Stack>
          <Radio.Group
            label="How much may be kept"
            value={choice}
            onChange={(value) => setChoice(value as Choice)}
          >
            <Stack gap="xs" mt="xs">
              <Radio value="default" label="As everybody" description="What the installation says." />
              <Radio value="limit" label="A limit of its own" />
              <Radio value="none" label="No limit" />
            </Stack>
          </Radio.Group>
          {choice === 'limit' && (
            <TextInput
              label="Limit in GB"
              description="A billion bytes each. What is in the trash has the same limit for itself."
              inputMode="decimal"
              value={gigabytes}
              onChange={(event) => setGigabytes(event.currentTarget.value)}
              error={gigabytes !== '' && limit === undefined ? 'A number above 0.' : undefined}
              required
              autoComplete="off"
            />
          )}
          {limit !== undefined && choice === 'limit' && limit < quota.usage.bytes && (
            <Text size="sm">
              There is more already: all of it stays, and nothing can be added before something is deleted.
            </Text>
          )}
          <ProblemNotice error={set.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={set.isPending} disabled={wanted === undefined}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
