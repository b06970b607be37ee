-- Browser sessions. The key is the SHA-256 of the cookie, so the table signs nobody in; tokens are sealed with a key from outside.
create table sessions (
  id text primary key,
  -- A session at an app's host hangs on the portal session it came from and ends with it.
  parent text references sessions (id) on delete cascade,
  instance_id text,
  subject text not null,
  issuer_sid text,
  person jsonb,
  sealed_tokens bytea,
  access_expires_at timestamptz,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  check ((parent is null) = (instance_id is null)),
  check ((parent is null) = (sealed_tokens is not null and person is not null))
);
create index on sessions (parent);
create index on sessions (issuer_sid);
create index on sessions (subject);
create index on sessions (expires_at);

-- By trigger, so that no way of ending a session (cascade, sweep, by hand) can forget to tell the routers.
create function tell_routers() returns trigger language plpgsql as $$
begin
  perform pg_notify('router_sessions', case when tg_op = 'DELETE' then 'ended:' else 'changed:' end || old.id);
  return null;
end $$;
create trigger ended after delete on sessions for each row execute function tell_routers();
create trigger changed after update of sealed_tokens on sessions for each row execute function tell_routers();

-- One-time tickets that carry a portal session over to an app's host.
create table tickets (
  id text primary key,
  session_id text not null references sessions (id) on delete cascade,
  instance_id text not null,
  browser_hash text not null,
  next text not null,
  expires_at timestamptz not null
);
create index on tickets (expires_at);
create index on tickets (session_id);

-- A platform or CLI token between the issuer's callback and the page that shows it, once.
create table one_time_tokens (
  session_id text not null references sessions (id) on delete cascade,
  kind text not null,
  sealed bytea not null,
  expires_at timestamptz not null,
  primary key (session_id, kind)
);

-- Logout tokens that were already obeyed (OpenID Connect Back-Channel Logout §2.6, step 7).
create table used_logout_tokens (
  id text primary key,
  expires_at timestamptz not null
);
