-- People, the keys of the issuer, the clients of app instances, and what the OpenID provider has to remember.
-- Secret material is sealed (AES-256-GCM, key derived from the master key): a copy of the database opens nothing.

create table people (
  id uuid primary key,
  username text not null unique check (username = lower(username)),
  name text not null,
  email text not null,
  password_hash text not null,
  roles text[] not null default '{}',
  groups text[] not null default '{}',
  disabled boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table issuer_keys (
  id text primary key,
  purpose text not null check (purpose in ('signing', 'cookie')),
  sealed bytea not null,
  created_at timestamptz not null,
  -- A signing key is published before it signs, so that verifiers that cache the key set know it in time.
  active_from timestamptz not null
);

create table app_clients (
  instance_id text primary key,
  client_id text not null unique,
  name text not null,
  redirect_uri text not null,
  post_logout_redirect_uri text not null,
  sealed_secret bytea not null,
  created_at timestamptz not null default now()
);

-- Sessions, grants, codes and tokens of the provider. The key is a hash, because a session's or token's id is its value.
create table artifacts (
  key bytea primary key,
  model text not null,
  sealed bytea not null,
  grant_id text,
  account_id text,
  client_id text,
  uid text,
  user_code_key bytea,
  consumed_at timestamptz,
  expires_at timestamptz
);
create index artifacts_grant on artifacts (grant_id) where grant_id is not null;
create index artifacts_account on artifacts (account_id) where account_id is not null;
create index artifacts_client on artifacts (client_id) where client_id is not null;
create index artifacts_session_uid on artifacts (uid) where model = 'Session';
create unique index artifacts_user_code on artifacts (user_code_key) where user_code_key is not null;
create index artifacts_expiry on artifacts (expires_at) where expires_at is not null;

-- Failed attempts to sign in. `key` is a hash of (person, address), (person, known browser) or the address.
create table failed_attempts (
  key bytea primary key,
  failures integer not null,
  first_at timestamptz not null,
  blocked_until timestamptz
);
