import { Button, NativeSelect, Stack } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { useMe } from '../api/queries.ts';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { idOf, useWorkspaces } from '../workspaces/queries.ts';
import { isRole, roleNames } from '../workspaces/roles.ts';
import { AppSecrets } from './app-secrets.tsx';
import { NewSecretForm } from './secret-form.tsx';
import { WorkspaceSecrets } from './workspace-secrets.tsx';

/** One's own, those for all users, and those of the workspaces that one shares: chosen in the address (`?workspace=`). */
export function SecretsPage() {
  const isAdmin = useMe().data?.isAdmin === true;
  const [making, setMaking] = useState(false);
  const [parameters, setParameters] = useSearchParams();
  const workspaces = useWorkspaces({ query: '', deleted: false, all: false });
  const shared = (workspaces.data?.pages.flatMap((page) => page.workspaces) ?? []).filter(
    ({ kind, role }) => kind === 'WORKSPACE_KIND_SHARED' && isRole(role),
  );
  const chosen = shared.find((workspace) => idOf(workspace) === parameters.get('workspace'));
  return (
    <>
      <PageHeader
        title="Secrets"
        hint="Passwords, tokens and keys that apps get when they start, and that nobody else sees."
        actions={
          chosen === undefined && (
            <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setMaking(true)}>
              Keep a secret
            </Button>
          )
        }
      />
      <Stack gap="lg">
        {shared.length > 0 && (
          <NativeSelect
            label="Where"
            maw={420}
            value={chosen === undefined ? '' : idOf(chosen)}
            onChange={(event) => {
              const id = event.currentTarget.value;
              setParameters(id === '' ? {} : { workspace: id });
            }}
            data={[
              { value: '', label: 'Mine, and those for all users' },
              ...shared.map((workspace) => ({
                value: idOf(workspace),
                label: `${workspace.displayName} (${isRole(workspace.role) ? roleNames[workspace.role] : ''})`,
              })),
            ]}
          />
        )}
        {workspaces.isError && (
          <ProblemNotice error={workspaces.error} onRetry={() => void workspaces.refetch()} />
        )}
        {chosen === undefined ? (
          <AppSecrets isAdmin={isAdmin} />
        ) : (
          <WorkspaceSecrets key={chosen.name} workspace={chosen} />
        )}
      </Stack>
      {making && (
        <NewSecretForm isAdmin={isAdmin} onClose={() => setMaking(false)} onKept={() => setMaking(false)} />
      )}
    </>
  );
}
