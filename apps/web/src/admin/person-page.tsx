import { Anchor, Stack, Title } from '@mantine/core';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { TokenList } from '../account/token-list.tsx';
import { ApiError } from '../api/problem.ts';
import { useMe } from '../api/queries.ts';
import { NotFoundPage } from '../components/not-found-page.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { PageLoading } from '../components/page-loading.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Age } from '../components/time.tsx';
import { Quota } from '../drive/quota.tsx';
import { useBelongings } from './belongings.ts';
import { PersonAccess } from './people-page.tsx';
import { type Deed, PersonDialog } from './person-dialogs.tsx';
import { PersonMenu } from './person-menu.tsx';
import { type Person, usePerson } from './queries.ts';

export function PersonPage() {
  const { username = '' } = useParams();
  const person = usePerson(username);
  if (person.isPending) return <PageLoading />;
  if (person.data === undefined) {
    return person.error instanceof ApiError && person.error.status === 404 ? (
      <NotFoundPage what="This person" />
    ) : (
      <ProblemNotice error={person.error} onRetry={() => void person.refetch()} />
    );
  }
  return <PersonDetails key={person.data.subject} person={person.data} />;
}

/** How much, and the way to it. */
function Owns({ username }: { username: string }) {
  const belongings = useBelongings(username);
  if (belongings.data === undefined) return belongings.isError ? 'not known just now' : '…';
  const { apps, instances } = belongings.data;
  if (apps.length + instances.length === 0) return 'nothing';
  const owner = `?owner=${encodeURIComponent(username)}`;
  return (
    <>
      <Anchor component={Link} to={`/admin/apps${owner}`} inherit>
        Apps: {apps.length}
      </Anchor>
      {' · '}
      <Anchor component={Link} to={`/admin/instances${owner}`} inherit>
        Instances: {instances.length}
      </Anchor>
    </>
  );
}

function PersonDetails({ person }: { person: Person }) {
  const me = useMe();
  const navigate = useNavigate();
  const [deed, setDeed] = useState<Deed>();
  const own = me.data?.subject === person.subject;
  return (
    <Stack gap="xl">
      <div>
        <PageHeader
          title={person.name}
          hint={person.username}
          actions={<PersonMenu person={person} own={own} onPick={setDeed} />}
        />
        <dl className="facts">
          <dt>E-mail address</dt>
          <dd>{person.email === '' ? 'none' : person.email}</dd>
          <dt>Access</dt>
          <dd>
            <PersonAccess person={person} />
          </dd>
          <dt>Groups</dt>
          <dd>{person.groups.length === 0 ? 'none' : person.groups.join(', ')}</dd>
          <dt>Added</dt>
          <dd>
            <Age iso={person.createdAt} />
          </dd>
          <dt>Last sign-in</dt>
          <dd>{person.lastSignInAt === null ? 'none known' : <Age iso={person.lastSignInAt} />}</dd>
          <dt>Owns</dt>
          <dd>
            <Owns username={person.username} />
          </dd>
          <dt>Drive</dt>
          <dd>
            <Quota holder={{ kind: 'people', id: person.subject }} name={person.username} />
          </dd>
        </dl>
      </div>
      <section aria-labelledby="tokens">
        <Title order={2} size="h4" mb="sm" id="tokens">
          Sessions & tokens
        </Title>
        <TokenList username={person.username} label={`Sessions and tokens of ${person.username}`} />
      </section>
      {deed !== undefined && (
        <PersonDialog
          deed={deed}
          person={person}
          own={own}
          onClose={() => setDeed(undefined)}
          onRemoved={() => void navigate('/admin/people')}
        />
      )}
    </Stack>
  );
}
