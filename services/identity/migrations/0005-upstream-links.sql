-- People who sign in at another provider that Haic brokers: who they are there, and what its claims gave them here.
-- The issuer is part of the key: an alias that is pointed at another provider links nobody of the former one.
create table upstream_links (
  alias text not null,
  issuer text not null,
  subject text not null,
  person_id uuid not null references people on delete cascade,
  -- The person was made at this provider's first sign-in, so name and e-mail follow it.
  made_person boolean not null,
  -- Given by claims, and taken again with them; what an administrator gave by hand is not among them.
  roles text[] not null default '{}',
  groups text[] not null default '{}',
  created_at timestamptz not null default now(),
  primary key (alias, issuer, subject)
);
create unique index upstream_links_person on upstream_links (person_id, alias, issuer);

-- Whoever was made by such a sign-in has no password.
alter table people alter column password_hash drop not null;
