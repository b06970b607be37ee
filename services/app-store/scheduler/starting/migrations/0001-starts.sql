-- Instances between the decision to start them and the moment every scheduler sees them in the runtime. What runs is nowhere here.
create table starts (
  id text primary key,
  app_id text not null,
  owner text not null,
  -- Who came first, among the starts of one owner.
  place bigint generated always as identity,
  begun_at timestamptz not null default now(),
  made_at timestamptz
);
create index starts_owner on starts (owner);
