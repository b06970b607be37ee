-- What secrets, models and deployments belong to, and who shares it.

create table workspaces (
  id uuid primary key,
  kind text not null check (kind in ('shared', 'personal', 'global')),
  display_name text not null,
  description text not null default '',
  annotations jsonb not null default '{}',
  -- The subject of the tokens of whose personal one it is.
  personal_subject text check ((personal_subject is null) = (kind <> 'personal')),
  -- users/<subject> or services/<name>
  creator text not null,
  created_at timestamptz not null,
  updater text,
  updated_at timestamptz not null,
  deleter text,
  deleted_at timestamptz check ((deleted_at is null) = (purge_at is null)),
  purge_at timestamptz,
  -- Those who hold content were asked to remove theirs: from then on it cannot be restored.
  purge_asked boolean not null default false,
  -- Counts the changes, for who changes what they read before.
  revision bigint not null default 1
);
-- However many ask for theirs at once for the first time, one is made.
create unique index workspaces_personal on workspaces (personal_subject) where personal_subject is not null;
create index workspaces_created on workspaces (created_at desc, id desc);
create index workspaces_purge on workspaces (purge_at) where purge_at is not null;

-- Everybody's. Its id is known, so that its alias needs no looking up.
insert into workspaces (id, kind, display_name, description, creator, created_at, updated_at)
values ('00000000-0000-4000-8000-000000000001', 'global', 'Global', 'Shared by everybody.', 'services/workspaces', now(), now());

create table members (
  id uuid primary key,
  workspace_id uuid not null references workspaces on delete cascade,
  -- users/<subject> or groups/<name>, as tokens say
  member text not null check (member ~ '^(users|groups)/.'),
  role text not null check (role in ('viewer', 'editor', 'admin', 'owner')),
  creator text not null,
  created_at timestamptz not null,
  updater text not null,
  updated_at timestamptz not null,
  revision bigint not null default 1,
  unique (workspace_id, member)
);
create index members_member on members (member);

-- What services that hold content of a workspace have yet to be told: the latest, since an earlier one has no meaning any more.
create table content_tasks (
  workspace_id uuid not null references workspaces on delete cascade,
  holder text not null,
  task text not null check (task in ('deleted', 'restored', 'purge')),
  created_at timestamptz not null,
  primary key (workspace_id, holder)
);
