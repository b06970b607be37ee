-- Accounts of machines: pipelines and other systems, by client credentials. A secret has 256 random bits, so its SHA-256 gives nothing away
-- and needs no slow hash; a copy of the database opens nothing.
create table service_accounts (
  id uuid primary key,
  name text not null unique check (name = lower(name)),
  description text not null,
  -- Who answers for it. No foreign key: when that person is removed, the account stays to be seen and works no more.
  owner_id uuid not null,
  roles text[] not null default '{}',
  groups text[] not null default '{}',
  disabled boolean not null default false,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  last_used_at timestamptz
);
create index service_accounts_owner on service_accounts (owner_id);

create table service_account_secrets (
  hash bytea primary key,
  account_id uuid not null references service_accounts (id) on delete cascade,
  created_at timestamptz not null default now(),
  -- Of one that was replaced: until then both are good. Null for the one that is.
  ends_at timestamptz
);
create index service_account_secrets_account on service_account_secrets (account_id);
