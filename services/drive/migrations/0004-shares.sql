-- Links that people made to objects for whoever has them. A link is good while its row is here; the address itself is nowhere.
create table shares (
  id text primary key,
  -- Who made it.
  subject text not null,
  bucket text not null,
  key bytea not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index shares_by_subject on shares (subject, bucket, created_at desc, id);
create index shares_by_end on shares (expires_at);
