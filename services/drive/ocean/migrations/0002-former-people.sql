-- Whose bucket is kept although they are gone, for an administrator to hand over, and until when.
create table former_people (
  subject text primary key,
  -- As they were called; empty when only what they left was found.
  username text not null,
  ended_at timestamptz not null,
  purge_at timestamptz not null
);
create index former_people_by_purge on former_people (purge_at);
