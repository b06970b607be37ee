import { Badge, Group, Menu, Text } from '@mantine/core';
import { IconDevices, IconHistory, IconKey, IconLogout } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { callRaw } from '../api/http.ts';
import { useMe } from '../api/queries.ts';
import { AccountButton, useAccountName } from './account-button.tsx';
import { ColorSchemeSwitch } from './color-scheme-switch.tsx';
import { isOwnIssuer } from './own-issuer.ts';

export function AccountMenu() {
  const me = useMe();
  const [leaving, setLeaving] = useState(false);
  const name = useAccountName();

  const signOut = async (): Promise<void> => {
    setLeaving(true);
    await leave();
  };

  return (
    <Menu position="bottom-end" width={270} withinPortal trapFocus>
      <Menu.Target>
        <AccountButton name={name} />
      </Menu.Target>
      <Menu.Dropdown>
        <div style={{ padding: '8px 12px' }}>
          <Text fw={600} className="break">
            {name}
          </Text>
          <Text size="sm" c="dimmed" className="break">
            {me.data?.username}
            {me.data?.email ? ` · ${me.data.email}` : ''}
          </Text>
          <Group gap={6} mt={8}>
            {me.data?.roles.map((role) => (
              <Badge key={role} variant="light" size="sm" tt="none">
                {role}
              </Badge>
            ))}
          </Group>
        </div>
        <Menu.Divider />
        <div style={{ padding: '6px 12px' }}>
          <ColorSchemeSwitch />
        </div>
        <Menu.Divider />
        {me.data !== undefined && isOwnIssuer(me.data) && (
          <Menu.Item
            component={Link}
            to="/account/tokens"
            leftSection={<IconDevices size={16} aria-hidden="true" />}
          >
            Sessions & tokens
          </Menu.Item>
        )}
        <Menu.Item
          component={Link}
          to="/account/activity"
          leftSection={<IconHistory size={16} aria-hidden="true" />}
        >
          My activity
        </Menu.Item>
        {me.data !== undefined && (
          <Menu.Item
            component="a"
            href={`${me.data.environment.issuerUrl}/account`}
            leftSection={<IconKey size={16} aria-hidden="true" />}
          >
            {isOwnIssuer(me.data) ? 'Change password' : 'Password, sessions & tokens'}
          </Menu.Item>
        )}
        <Menu.Item
          leftSection={<IconLogout size={16} aria-hidden="true" />}
          onClick={() => void signOut()}
          disabled={leaving}
        >
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/**
 * Signing out goes on at the issuer, so the browser must go there itself: a form, not a call. The token is read anew, since the
 * session may have been renewed in another tab.
 */
async function leave(): Promise<void> {
  let token = '';
  try {
    const session = (await (await callRaw('/session')).json()) as { csrfToken?: string };
    token = session.csrfToken ?? '';
  } catch {
    // Without an answer the page at GET /logout asks once more.
  }
  if (token === '') {
    location.assign('/logout');
    return;
  }
  const form = document.createElement('form');
  form.method = 'post';
  form.action = '/logout';
  const field = document.createElement('input');
  field.type = 'hidden';
  field.name = 'csrf';
  field.value = token;
  form.append(field);
  document.body.append(form);
  form.submit();
}
