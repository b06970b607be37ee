import { Button, Group, Modal, Radio, Stack, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { MemberPicker } from './member-picker.tsx';
import { idOf, type Member, useAddMember, useAssignOwner, type Workspace } from './queries.ts';
import { type Role, roleHints, roleNames, rolesUpTo } from './roles.ts';

const none: readonly string[] = [];

export function AddMemberDialog(props: {
  workspace: Workspace;
  members: readonly Member[];
  onClose: () => void;
}) {
  const adding = useAddMember(idOf(props.workspace));
  const [role, setRole] = useState<Role>('ROLE_VIEWER');
  return (
    <PickerDialog
      title="Add a member"
      label="Person or group"
      action="Add"
      withGroups
      except={props.members.map(({ member }) => member)}
      busy={adding.isPending}
      error={adding.error}
      onPick={(member) => adding.mutateAsync({ member, role })}
      onClose={props.onClose}
    >
      <Radio.Group label="Role" value={role} onChange={(value) => setRole(value as Role)}>
        <Stack gap="xs" mt="xs">
          {rolesUpTo(props.workspace.role).map((each) => (
            <Radio key={each} value={each} label={roleNames[each]} description={roleHints[each]} />
          ))}
        </Stack>
      </Radio.Group>
    </PickerDialog>
  );
}

/** For administrators of the platform, when nobody who owns it can sign in any more. */
export function AssignOwnerDialog({ workspace, onClose }: { workspace: Workspace; onClose: () => void }) {
  const assigning = useAssignOwner(idOf(workspace));
  return (
    <PickerDialog
      title="Put an owner in place"
      label="Person"
      action="Make owner"
      withGroups={false}
      except={none}
      busy={assigning.isPending}
      error={assigning.error}
      onPick={(owner) => assigning.mutateAsync(owner)}
      onClose={onClose}
    >
      <Text size="sm">
        From then on they decide what happens with it, and can read all that it holds. The audit trail says
        who put them there.
      </Text>
    </PickerDialog>
  );
}

function PickerDialog(props: {
  title: string;
  label: string;
  action: string;
  withGroups: boolean;
  except: readonly string[];
  busy: boolean;
  error: unknown;
  onPick: (member: string) => Promise<unknown>;
  onClose: () => void;
  children: ReactNode;
}) {
  useReturnFocus();
  const [member, setMember] = useState<string>();
  const pick = async (): Promise<void> => {
    if (member === undefined) return;
    await props.onPick(member);
    props.onClose();
  };
  return (
    <Modal opened onClose={props.onClose} title={props.title} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          // What went wrong is shown below.
          void pick().catch(() => undefined);
        }}
      >
        <Stack>
          <MemberPicker
            label={props.label}
            withGroups={props.withGroups}
            value={member}
            onChange={setMember}
            except={props.except}
            disabled={props.busy}
          />
          {props.children}
          <ProblemNotice error={props.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={props.busy} disabled={member === undefined}>
              {props.action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
