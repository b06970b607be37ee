import { Alert, Button, Group, Text } from '@mantine/core';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { type AccountPlace, titleOf, useAccount, useLogIn } from './queries.ts';

/** What became of the login that this browser comes from. It says what the account says, and nothing of the address. */
export function ReturnNotice({ place, onClose }: { place: AccountPlace; onClose: () => void }) {
  const account = useAccount(place);
  const logIn = useLogIn();
  if (account.isError) return <ProblemNotice error={account.error} onRetry={() => void account.refetch()} />;
  if (account.data === undefined) return null;
  const { state, problem, loginPrincipal, id } = account.data;
  const title = titleOf(account.data);
  const isWell = state === 'CONNECTED' && problem === null;
  const failed = state === 'CONNECTED' ? `Not logged in anew with ${title}` : `Not connected with ${title}`;
  return (
    <>
      <Alert
        variant="outline"
        className={isWell ? 'notice' : 'notice problem'}
        role={isWell ? 'status' : 'alert'}
        title={isWell ? `Connected with ${title}` : failed}
        withCloseButton
        closeButtonLabel="Dismiss"
        onClose={onClose}
      >
        <Group justify="space-between" gap="xs">
          <Text size="sm" className="break" style={{ flex: 1, minWidth: 200 }}>
            {isWell
              ? `You are logged in there${loginPrincipal === '' ? '' : ` as ${loginPrincipal}`}. Apps of yours call this account “${id}”.`
              : (problem?.message ?? 'The login was not finished.')}
          </Text>
          {!isWell && (
            <Button size="xs" variant="default" loading={logIn.isPending} onClick={() => logIn.mutate(place)}>
              Try again
            </Button>
          )}
        </Group>
      </Alert>
      <ProblemNotice error={logIn.error} />
    </>
  );
}
