-- One row is one (name, version): an app as imported. What runs is not here: the runtime is the truth about that.
create table apps (
  id uuid primary key,
  name text not null,
  version text not null,
  -- Byte order of it is the order of versions (manifest/version-order.ts).
  version_order text collate "C" not null,
  title text not null,
  description text not null,
  long_description text not null,
  owner_subject text not null,
  owner_username text not null,
  visibility text not null check (visibility in ('PRIVATE', 'ALL_USERS', 'PUBLIC')),
  manifest jsonb not null,
  assets jsonb not null,
  requirements text,
  packages text,
  bundle_sha256 text not null,
  bundle_size bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint apps_name_version unique (name, version)
);

create index apps_newest on apps (created_at desc, id);
create index apps_owner on apps (owner_subject);
