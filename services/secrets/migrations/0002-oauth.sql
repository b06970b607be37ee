create table oauth_clients (
  uid uuid primary key,
  id text collate "C" not null unique,
  display_name text not null,
  issuer text not null,
  client_id text not null,
  -- Sealed; null without a secret.
  client_secret bytea,
  -- Empty where the issuer is asked.
  authorization_endpoint text not null,
  token_endpoint text not null,
  extra_scopes text[] not null,
  refresh_disabled boolean not null,
  oidc_disabled boolean not null,
  login_principal_claim text not null,
  creator text not null,
  created_at timestamptz not null,
  updater text,
  updated_at timestamptz,
  data_key uuid not null references data_keys (id)
);
create index oauth_clients_by_data_key on oauth_clients (data_key);

create table token_sources (
  uid uuid primary key,
  client uuid not null references oauth_clients (uid) on delete cascade,
  id text collate "C" not null,
  -- The subject of who made it. Nobody else sees it, so nobody else is in the way of an id.
  owner text collate "C" not null,
  redirect_uri text not null,
  -- The address that begins the login: hashed to be found, sealed to be shown.
  login_hash bytea not null unique,
  login_secret bytea not null,
  -- Sealed; null while a login is required.
  tokens bytea,
  -- Counts what happens to the tokens: who refreshed what was replaced meanwhile has refreshed nothing.
  generation integer not null default 0,
  -- Until then one process is refreshing.
  refreshing_until timestamptz,
  issued_at timestamptz,
  expires_at timestamptz,
  login_at timestamptz,
  subject text not null default '',
  login_principal text not null default '',
  created_at timestamptz not null,
  data_key uuid not null references data_keys (id),
  unique (client, owner, id)
);
create index token_sources_by_data_key on token_sources (data_key);

-- Logins under way, each found by the state that the provider brings back, once.
create table logins (
  state_hash bytea primary key,
  source uuid not null references token_sources (uid) on delete cascade,
  browser_hash bytea not null,
  -- Nonce and code verifier, sealed by the data key of the source.
  challenge bytea not null,
  expires_at timestamptz not null
);
create index logins_by_end on logins (expires_at);
create index logins_by_source on logins (source);
