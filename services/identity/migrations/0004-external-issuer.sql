-- Where people sign in at an issuer of their organisation: what Haic registered there, and what it may do for whom.
-- Secret material is sealed like everything in this schema.

-- The clients of app instances. Their registration tokens are the only way to remove them again.
create table registered_clients (
  instance_id text primary key,
  client_id text not null unique,
  sealed bytea not null,
  created_at timestamptz not null default now()
);

-- A person's leave for an app of theirs to act for them, for as long as the instance lives: a refresh token of the app's own client.
create table app_grants (
  instance_id text primary key references registered_clients on delete cascade,
  subject text not null,
  sealed bytea not null,
  granted_at timestamptz not null default now()
);

-- People whom the issuer vouched for, as their last token described them. The issuer remains the only authority on them.
create table seen_people (
  subject text primary key,
  username text not null,
  name text not null,
  email text not null,
  roles text[] not null,
  groups text[] not null,
  seen_at timestamptz not null default now()
);
create index seen_people_username on seen_people (lower(username));
