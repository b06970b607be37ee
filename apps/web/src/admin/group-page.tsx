import { useState } from 'react';
import { useNavigate, useParams } from 'react-router';
import { ApiError } from '../api/problem.ts';
import { NotFoundPage } from '../components/not-found-page.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { PageLoading } from '../components/page-loading.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { DeleteGroupDialog, GroupNameDialog } from './group-dialogs.tsx';
import { type Group, sizeOf, useGroup } from './groups.ts';
import { GroupMenu } from './groups-page.tsx';
import { Members } from './members.tsx';

export function GroupPage() {
  const { id = '' } = useParams();
  const group = useGroup(id);
  if (group.isPending) return <PageLoading />;
  if (group.data === undefined)
    return group.error instanceof ApiError && group.error.status === 404 ? (
      <NotFoundPage what="This group" />
    ) : (
      <ProblemNotice error={group.error} onRetry={() => void group.refetch()} />
    );
  return <GroupDetails key={group.data.id} group={group.data} />;
}

function GroupDetails({ group }: { group: Group }) {
  const navigate = useNavigate();
  const size = sizeOf(group);
  const [open, setOpen] = useState<'rename' | 'delete'>();
  const close = () => setOpen(undefined);
  return (
    <>
      <PageHeader
        title={group.name}
        hint={size === 1 ? 'A group with one member.' : `A group with ${size} members.`}
        actions={
          <GroupMenu group={group} onRename={() => setOpen('rename')} onDelete={() => setOpen('delete')} />
        }
      />
      <Members of={{ group }} adds="Add a member" takes="Remove from the group" />
      {open === 'rename' && <GroupNameDialog group={group} onClose={close} />}
      {open === 'delete' && (
        <DeleteGroupDialog group={group} onClose={close} onDeleted={() => void navigate('/admin/groups')} />
      )}
    </>
  );
}
