-- What people do to many objects at once from the portal. An operation runs in one process; its row is how others learn of it.
create table operations (
  id text primary key,
  subject text not null,
  kind text not null check (kind in ('COPY', 'MOVE', 'DELETE', 'RESTORE', 'PURGE')),
  -- As it was asked for; a name of the bucket, which whoever asks for the operation may use.
  bucket text not null,
  state text not null default 'RUNNING' check (state in ('RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  done int not null default 0,
  failed int not null default 0,
  -- Null until it is counted.
  total int,
  -- The first few: [{key, code, message}].
  failures jsonb not null default '[]',
  -- Of a deletion, while it can be undone.
  trash_id text,
  cancel_requested boolean not null default false,
  created_at timestamptz not null default now(),
  -- Renewed while it runs: one that is not seen any more died with its process.
  seen_at timestamptz not null default now(),
  ended_at timestamptz
);
create index operations_by_subject on operations (subject, created_at desc);

-- What was deleted together. Its objects lie outside of the bucket, under the id.
create table trash (
  id text primary key,
  -- The prefix of the bucket that it came from.
  bucket text not null,
  -- The first of what was deleted; the others are as many as `items` says.
  name bytea not null,
  items int not null,
  deleted_by text not null,
  deleted_at timestamptz not null default now()
);
create index trash_by_bucket on trash (bucket, deleted_at desc, id);
create index trash_by_time on trash (deleted_at);
