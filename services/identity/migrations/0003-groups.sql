-- A group may exist before anybody is in it and after the last one left. Who is in it stands with the person, because tokens say it.
create table groups (
  id uuid primary key default gen_random_uuid(),
  name text not null unique,
  created_at timestamptz not null default now()
);
insert into groups (name) select distinct unnest(groups) from people;

create index people_groups on people using gin (groups);
create index people_roles on people using gin (roles);

-- For administrators who wonder whether an account is still used.
alter table people add column last_sign_in_at timestamptz;
