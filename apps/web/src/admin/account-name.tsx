import { Badge, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { type ServiceAccount, stateNames } from './service-accounts.ts';

/** A service account in a table: its name (`children`), why it gets no token if that is so, and what it is for. */
export function AccountName({ account, children }: { account: ServiceAccount; children: ReactNode }) {
  return (
    <>
      {children}
      {account.state !== 'ACTIVE' && (
        <Badge variant="light" color="red" size="sm" tt="none" ml={8}>
          {stateNames[account.state]}
        </Badge>
      )}
      <Text size="xs" c="dimmed" className="break">
        {account.description}
      </Text>
    </>
  );
}
