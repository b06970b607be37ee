import { Anchor, Button, Group, Text } from '@mantine/core';
import { Link } from 'react-router';
import classes from './audit.module.css';
import type { AuditEvent } from './events.ts';
import { whoOf } from './sentence.ts';

export type OnFilter = (changes: Readonly<Record<string, string>>) => void;

/** Names of what is told beside, as people read them; others as they are. */
const words: Readonly<Record<string, string>> = {
  client: 'Through',
  app_instance: 'App instance',
  visibility: 'Visibility',
  owner: 'Owner',
  roles: 'Roles',
  groups: 'Groups',
  username: 'User name',
  disabled: 'Disabled',
  to: 'To',
  id: 'App',
  reason: 'Reason',
  goes_on_after: 'Goes on after event',
  known_to: 'Had come to event',
  up_to: 'Up to event',
};

const clients: Readonly<Record<string, string>> = {
  'haic-portal': 'the portal',
  'haic-cli': 'the command line',
  'haic-platform': 'a platform token',
  'haic-service-operator': 'a command on the machine of Haic',
};

export function EventDetails(props: { event: AuditEvent; own: boolean; onFilter: OnFilter }) {
  const { event, own, onFilter } = props;
  const more = Object.entries({ ...event.requestParameters, ...event.metadata });
  const facts: readonly (readonly [string, string])[] = [
    ['When', new Date(event.eventTime).toLocaleString(undefined, { dateStyle: 'long', timeStyle: 'long' })],
    ['To what', event.resource],
    ['Workspace', event.workspace.replace(/^workspaces\//, '')],
    ['From', event.sourceIpAddress === 'private' ? 'a private network' : event.sourceIpAddress],
    ['With', event.userAgent],
    ...more.map(([name, value]): [string, string] => [words[name] ?? name, clients[value] ?? value]),
    ['Told by', event.eventSource],
    ['Action', event.action],
    ['Event', event.name.replace(/^events\//, '')],
  ];
  return (
    <div className={classes.details}>
      <dl className={classes.facts}>
        {facts
          .filter(([, value]) => value !== '')
          .map(([name, value]) => (
            <div key={name}>
              <Text component="dt" size="xs" c="dimmed">
                {name}
              </Text>
              <Text component="dd" size="sm" className="break" m={0}>
                {value}
              </Text>
            </div>
          ))}
      </dl>
      <Group gap="xs" mt="sm">
        {!own && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => onFilter({ principal: event.principal })}
          >
            Only {whoOf(event)}
          </Button>
        )}
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => onFilter({ action: event.action, kind: '' })}
        >
          Only such events
        </Button>
        <Place resource={event.resource} />
      </Group>
    </div>
  );
}

/** The page of what it was done to, where the portal has one. */
function Place({ resource }: { resource: string }) {
  const [, , , collection = '', id = ''] = resource.split('/');
  const to = { apps: `/apps/${id}`, instances: `/instances/${id}` }[collection];
  if (to === undefined || id === '') return null;
  return (
    <Anchor component={Link} to={to} size="sm">
      Go there
    </Anchor>
  );
}
