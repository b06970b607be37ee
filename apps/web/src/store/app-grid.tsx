import { Badge, Button, Center, Group, Skeleton, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { useApps } from '../api/queries.ts';
import type { App } from '../api/types.ts';
import { AppIcon } from '../components/app-icon.tsx';
import { VisibilityLabel } from '../components/visibility.tsx';

const shownTags = 3;

function AppCard(props: { app: App; running: number; showVisibility: boolean; control: ReactNode }) {
  const { app, running, showVisibility } = props;
  return (
    <article className="card">
      <Group wrap="nowrap" align="flex-start" gap="sm">
        <AppIcon app={app} size={48} />
        <div style={{ minWidth: 0, flex: 1 }}>
          <Text component="h2" fw={650} size="md" lh={1.3} className="clamp-2 break">
            <Link to={`/apps/${app.id}`} className="card-link">
              {app.title}
            </Link>
          </Text>
          <Text size="xs" c="dimmed" className="break">
            {app.version} · {app.owner.username}
          </Text>
        </div>
        {running > 0 && (
          <Badge color="#1a7431" variant="filled" size="sm" tt="none">
            running
          </Badge>
        )}
        {props.control}
      </Group>
      <Text size="sm" className="clamp-2 break" flex={1} mih={42}>
        {app.description}
      </Text>
      <Group gap={6} mih={20}>
        {showVisibility && (
          <Text size="xs" c="dimmed" component="span">
            <VisibilityLabel visibility={app.visibility} />
          </Text>
        )}
        {app.precondition.status === 'FAILED' && (
          <Badge color="#b42318" variant="filled" size="sm" tt="none">
            {app.lifecycle === 'LINK' ? 'cannot be opened' : 'cannot run'}
          </Badge>
        )}
        {app.lifecycle !== 'ON_DEMAND' && (
          <Badge variant="default" size="sm" tt="none">
            {app.lifecycle === 'LINK' ? 'link' : 'managed'}
          </Badge>
        )}
        {app.tags.slice(0, shownTags).map((tag) => (
          <Badge key={tag} variant="light" size="sm" tt="none" maw="100%">
            {tag}
          </Badge>
        ))}
        {app.tags.length > shownTags && (
          <Text size="xs" c="dimmed">
            +{app.tags.length - shownTags}
          </Text>
        )}
      </Group>
    </article>
  );
}

export function AppGrid(props: {
  apps: ReturnType<typeof useApps>;
  items: readonly App[];
  /** How many instances of an app (by id) run for who looks. */
  running: ReadonlyMap<string, number>;
  showVisibility?: boolean;
  /** Something of an app's own in the corner of its card. */
  controlOf?: (app: App) => ReactNode;
}) {
  const { apps, items } = props;
  return (
    <>
      <ul className="grid" style={{ opacity: apps.isPlaceholderData ? 0.6 : 1 }} aria-busy={apps.isFetching}>
        {items.map((app) => (
          <li key={app.id}>
            <AppCard
              app={app}
              running={props.running.get(app.id) ?? 0}
              showVisibility={props.showVisibility ?? false}
              control={props.controlOf?.(app)}
            />
          </li>
        ))}
      </ul>
      {apps.hasNextPage && (
        <Center mt="lg">
          <Button
            variant="default"
            onClick={() => void apps.fetchNextPage()}
            loading={apps.isFetchingNextPage}
          >
            Show more
          </Button>
        </Center>
      )}
    </>
  );
}

export const AppGridLoading = () => (
  <div className="grid" role="status" aria-busy="true" aria-label="Loading apps">
    {['a', 'b', 'c', 'd', 'e', 'f'].map((key) => (
      <Skeleton key={key} h={158} radius={12} />
    ))}
  </div>
);
