import { Skeleton, Text } from '@mantine/core';
import { useRef, useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Age } from '../components/time.tsx';
import { inWords, useBelongings } from './belongings.ts';
import { HandOverDialog } from './hand-over-dialog.tsx';
import { type Person, useChangePerson, useRemovePerson } from './queries.ts';

/** Disables or removes somebody: says beforehand what they own, and afterwards offers to hand it over. */
export function EndDialog(props: {
  person: Person;
  how: 'disable' | 'remove';
  onClose: () => void;
  onRemoved?: (() => void) | undefined;
}) {
  const { username } = props.person;
  const change = useChangePerson(username);
  const remove = useRemovePerson(username);
  const belongings = useBelongings(username);
  const [ended, setEnded] = useState(false);
  const goesOn = useRef(false);
  const isRemoval = props.how === 'remove';

  const leave = (): void => {
    props.onClose();
    if (isRemoval && goesOn.current) props.onRemoved?.();
  };
  if (ended)
    return (
      <HandOverDialog
        username={username}
        title={`${username} is ${isRemoval ? 'removed' : 'disabled'}. Hand over what they own?`}
        onClose={leave}
      />
    );
  return (
    <ConfirmDialog
      title={isRemoval ? `Remove ${username}?` : `Disable ${username}?`}
      action={isRemoval ? 'Remove' : 'Disable'}
      // Not closed by success where there is something to hand over: that question takes its place.
      onClose={() => {
        if (!goesOn.current) props.onClose();
      }}
      onConfirm={async () => {
        await (isRemoval ? remove.mutateAsync() : change.mutateAsync({ disabled: true }));
        goesOn.current = true;
        const ownsNothing = belongings.data !== undefined && inWords(belongings.data) === '';
        if (ownsNothing) leave();
        else setEnded(true);
      }}
    >
      <Text>
        {isRemoval
          ? `The account, its sign-ins and its tokens are gone for good. What ${username} runs is paused. A new person of the same name gets none of it. To only lock the account, disable it.`
          : `${username} is signed out everywhere and cannot sign in again until enabled. All tokens end for good. What ${username} runs is paused; its files are kept.`}
      </Text>
      <Text mt="sm" fw={600} data-testid="owns">
        {belongings.data === undefined
          ? 'Looking at what they own …'
          : inWords(belongings.data) === ''
            ? `${username} owns no apps and no instances.`
            : `${username} owns ${inWords(belongings.data)}.`}
      </Text>
      {belongings.isPending && <Skeleton h={8} w={120} mt={4} />}
      <ProblemNotice error={belongings.error} onRetry={() => void belongings.refetch()} />
      <Text size="sm" c="dimmed" mt={4}>
        Last sign-in:{' '}
        {props.person.lastSignInAt === null ? 'none known' : <Age iso={props.person.lastSignInAt} />}
      </Text>
    </ConfirmDialog>
  );
}
