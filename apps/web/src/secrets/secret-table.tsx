import { Badge, Group, Menu, Text } from '@mantine/core';
import { IconEye, IconFileText, IconPencil, IconTrash, IconUsersGroup } from '@tabler/icons-react';
import { useState } from 'react';
import { RowMenu } from '../components/row-menu.tsx';
import classes from '../components/rows.module.css';
import { Age } from '../components/time.tsx';
import { type Secret, secretId, useRevealSecret } from './queries.ts';
import { RevealDialog } from './reveal-dialog.tsx';
import { DeleteSecretDialog, ManifestDialog } from './secret-dialogs.tsx';
import { ChangeSecretForm } from './secret-form.tsx';
import { UsersDialog } from './users-dialog.tsx';
import { SecretVisibilityLabel } from './visibility.tsx';

type Act = 'reveal' | 'change' | 'manifest' | 'users' | 'delete';

export function SecretTable(props: { secrets: readonly Secret[]; onDeleted: (secret: Secret) => void }) {
  const [asked, setAsked] = useState<{ act: Act; secret: Secret }>();
  const close = () => setAsked(undefined);
  return (
    <>
      <table className={classes.table} aria-label="Secrets">
        <thead>
          <tr>
            <th scope="col">Secret</th>
            <th scope="col">Visibility</th>
            <th scope="col">Keys</th>
            <th scope="col">Changed</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.secrets.map((secret) => (
            <SecretRow key={secretId(secret)} secret={secret} onAct={(act) => setAsked({ act, secret })} />
          ))}
        </tbody>
      </table>
      {asked?.act === 'reveal' && <Reveal secret={asked.secret} onClose={close} />}
      {asked?.act === 'change' && <ChangeSecretForm secret={asked.secret} onClose={close} />}
      {asked?.act === 'manifest' && (
        <ManifestDialog reference={asked.secret.name} keys={asked.secret.keys} onClose={close} />
      )}
      {asked?.act === 'users' && <UsersDialog secret={asked.secret} onClose={close} />}
      {asked?.act === 'delete' && (
        <DeleteSecretDialog secret={asked.secret} onClose={close} onDeleted={props.onDeleted} />
      )}
    </>
  );
}

function Reveal({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  const reveal = useRevealSecret(secret);
  return (
    <RevealDialog
      title={`Values of ${secret.name}`}
      onReveal={() => reveal.mutateAsync()}
      onClose={() => {
        reveal.reset();
        onClose();
      }}
    />
  );
}

function SecretRow({ secret, onAct }: { secret: Secret; onAct: (act: Act) => void }) {
  return (
    <tr>
      <td className={classes.wide}>
        <Text fw={600} size="sm" className="break" component="span">
          {secret.name}
        </Text>
      </td>
      <td>
        <span className={classes.label}>Visibility </span>
        <SecretVisibilityLabel secret={secret} />
      </td>
      <td>
        <span className={classes.label}>Keys </span>
        <Group gap={4} display="inline-flex">
          {secret.keys.map((key) => (
            <Badge
              key={key}
              variant="default"
              size="sm"
              tt="none"
              fw={500}
              className="break"
              component="span"
            >
              {key}
            </Badge>
          ))}
        </Group>
      </td>
      <td>
        <span className={classes.label}>Changed </span>
        <Age iso={secret.updatedAt} /> by {secret.updatedBy}
      </td>
      <td className={classes.actions}>
        <SecretMenu secret={secret} onAct={onAct} />
      </td>
    </tr>
  );
}

function SecretMenu({ secret, onAct }: { secret: Secret; onAct: (act: Act) => void }) {
  return (
    <RowMenu name={secret.name}>
      <Menu.Item
        leftSection={<IconFileText size={16} aria-hidden="true" />}
        onClick={() => onAct('manifest')}
      >
        Copy as app.toml
      </Menu.Item>
      <Menu.Item leftSection={<IconUsersGroup size={16} aria-hidden="true" />} onClick={() => onAct('users')}>
        Who uses it
      </Menu.Item>
      {secret.canReveal && (
        <Menu.Item leftSection={<IconEye size={16} aria-hidden="true" />} onClick={() => onAct('reveal')}>
          Show values
        </Menu.Item>
      )}
      {secret.canChange && (
        <>
          <Menu.Item
            leftSection={<IconPencil size={16} aria-hidden="true" />}
            onClick={() => onAct('change')}
          >
            Change
          </Menu.Item>
          <Menu.Item
            leftSection={<IconTrash size={16} aria-hidden="true" />}
            style={{ color: 'var(--mantine-color-error)' }}
            onClick={() => onAct('delete')}
          >
            Delete
          </Menu.Item>
        </>
      )}
    </RowMenu>
  );
}
