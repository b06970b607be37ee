import { Anchor, Skeleton, Stack, Text } from '@mantine/core';
import { Link, useParams } from 'react-router';
import { PageHeader } from '../components/page-header.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import classes from '../components/rows.module.css';
import { sizeOf, useRoles } from './groups.ts';
import { Members } from './members.tsx';

const ofApps = 'Means something to apps only: they see it in tokens.';

export function RolesPage() {
  const roles = useRoles();
  return (
    <>
      <PageHeader title="Roles" hint="What people may do here, and who may." />
      <Stack gap="lg">
        {roles.isError && <ProblemNotice error={roles.error} onRetry={() => void roles.refetch()} />}
        {roles.isPending && <Skeleton h={200} radius={12} aria-busy="true" aria-label="Loading roles" />}
        {roles.data !== undefined && (
          <table className={classes.table} aria-label="Roles">
            <thead>
              <tr>
                <th scope="col">Role</th>
                <th scope="col">What it allows</th>
                <th scope="col">Members</th>
              </tr>
            </thead>
            <tbody>
              {roles.data.items.map((role) => (
                <tr key={role.name}>
                  <td className={classes.wide}>
                    <Anchor
                      component={Link}
                      to={`/admin/roles/${encodeURIComponent(role.name)}/members`}
                      fw={600}
                      size="sm"
                      className="break"
                    >
                      {role.name}
                    </Anchor>
                  </td>
                  <td>{role.description === '' ? ofApps : role.description}</td>
                  <td>
                    <span className={classes.label}>Members </span>
                    {sizeOf(role)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <Text size="sm" c="dimmed" maw="72ch">
          Whoever has none of these roles can do what a visitor can. Any further role that you give to
          somebody appears here, too.
        </Text>
      </Stack>
    </>
  );
}

/** Who has a role. A name may end like that of a file, so it never ends the address. */
export function RolePage() {
  const { role = '' } = useParams();
  const roles = useRoles();
  const known = roles.data?.items.find(({ name }) => name === role);
  return (
    <>
      <PageHeader title={role} hint={known?.description || ofApps} />
      <Members key={role} of={{ role }} adds="Give this role" takes="Take the role" />
    </>
  );
}
