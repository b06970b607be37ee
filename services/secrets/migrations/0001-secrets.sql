-- Which keys wrap, by id; the keys themselves are not in the database. Nothing is wrapped by one that is not here.
create table wrapping_keys (
  id text primary key,
  created_at timestamptz not null default now()
);

create table data_keys (
  id uuid primary key,
  wrapping_key text not null references wrapping_keys (id),
  wrapped bytea not null
);
create index data_keys_by_wrapping_key on data_keys (wrapping_key);

create table secrets (
  uid uuid primary key,
  -- workspaces/<id>, or app:<name> for what an app keeps.
  parent text collate "C" not null,
  id text collate "C" not null,
  display_name text not null,
  annotations jsonb not null,
  creator text not null,
  created_at timestamptz not null,
  deleter text,
  deleted_at timestamptz,
  purge_at timestamptz,
  data_key uuid not null references data_keys (id),
  unique (parent, id)
);
create index secrets_to_purge on secrets (purge_at) where purge_at is not null;
create index secrets_by_data_key on secrets (data_key);

create table versions (
  uid uuid primary key,
  secret uuid not null references secrets (uid) on delete cascade,
  number integer not null,
  creator text not null,
  created_at timestamptz not null,
  unique (secret, number)
);

-- A secret of the secure store has one value; one that apps use has as many as it has keys.
create table version_values (
  version uuid not null references versions (uid) on delete cascade,
  key text collate "C" not null,
  sealed bytea not null,
  primary key (version, key)
);
