import { Menu, Text } from '@mantine/core';
import { IconKey, IconLink, IconPencil, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { RowMenu } from '../components/row-menu.tsx';
import classes from '../components/rows.module.css';
import { Age } from '../components/time.tsx';
import { CallbackDialog, DeleteClientDialog, ReplaceSecretDialog } from './client-dialogs.tsx';
import { ChangeClientForm } from './client-form.tsx';
import { type OAuthClient, titleOfClient } from './client-queries.ts';

type Act = 'callback' | 'change' | 'secret' | 'delete';

export function ClientTable(props: { clients: readonly OAuthClient[]; mayChange: boolean }) {
  const [asked, setAsked] = useState<{ act: Act; client: OAuthClient }>();
  const close = () => setAsked(undefined);
  return (
    <>
      <table className={classes.table} aria-label="OAuth clients">
        <thead>
          <tr>
            <th scope="col">Client</th>
            <th scope="col">Provider</th>
            <th scope="col">Secret</th>
            <th scope="col">Changed</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.clients.map((client) => (
            <Row
              key={client.id}
              client={client}
              mayChange={props.mayChange}
              onAct={(act) => setAsked({ act, client })}
            />
          ))}
        </tbody>
      </table>
      {asked?.act === 'callback' && <CallbackDialog client={asked.client} onClose={close} />}
      {asked?.act === 'change' && <ChangeClientForm client={asked.client} onClose={close} />}
      {asked?.act === 'secret' && <ReplaceSecretDialog client={asked.client} onClose={close} />}
      {asked?.act === 'delete' && <DeleteClientDialog client={asked.client} onClose={close} />}
    </>
  );
}

function Row(props: { client: OAuthClient; mayChange: boolean; onAct: (act: Act) => void }) {
  const { client } = props;
  return (
    <tr>
      <td className={classes.wide}>
        <Text fw={600} size="sm" className="break" component="span">
          {titleOfClient(client)}
        </Text>
        <Text size="xs" c="dimmed" className="break">
          {client.id}
        </Text>
      </td>
      <td className="break">
        <span className={classes.label}>Provider </span>
        {client.issuer}
        <Text size="xs" c="dimmed" className="break">
          as {client.clientId}
          {client.oidcDisabled && ', plain OAuth 2.0'}
        </Text>
      </td>
      <td>
        <span className={classes.label}>Secret </span>
        {client.hasSecret ? 'kept' : 'none'}
      </td>
      <td>
        <span className={classes.label}>Changed </span>
        <Age iso={client.updatedAt ?? client.createdAt} /> by {client.updatedBy ?? client.createdBy}
      </td>
      <td className={classes.actions}>
        <ClientMenu {...props} />
      </td>
    </tr>
  );
}

function ClientMenu(props: { client: OAuthClient; mayChange: boolean; onAct: (act: Act) => void }) {
  const { client, onAct } = props;
  return (
    <RowMenu name={client.id}>
      <Menu.Item leftSection={<IconLink size={16} aria-hidden="true" />} onClick={() => onAct('callback')}>
        Redirect address
      </Menu.Item>
      {props.mayChange && (
        <>
          <Menu.Item
            leftSection={<IconPencil size={16} aria-hidden="true" />}
            onClick={() => onAct('change')}
          >
            Change
          </Menu.Item>
          <Menu.Item leftSection={<IconKey size={16} aria-hidden="true" />} onClick={() => onAct('secret')}>
            Replace secret
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
