-- What others guard and want tokens of their own audience for: an administrator says which, and which clients may ask (RFC 8693).
create table foreign_resources (
  name text primary key check (name = lower(name)),
  audience text not null unique,
  description text not null,
  scopes text[] not null default '{}',
  -- Ids of apps, and names of service accounts; '*' is all of them.
  apps text[] not null default '{}',
  service_accounts text[] not null default '{}',
  created_at timestamptz not null default now()
);

-- Which app an instance is of never changes. Null for one that was started before this was noted, until it starts anew.
alter table app_clients add column app_id text;
