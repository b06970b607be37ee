-- What services told and the trail does not have yet: written with what it tells of, taken away when the trail has it.
create table events (
  place bigint generated always as identity primary key,
  event_id uuid not null unique,
  -- In the JSON of the trail's API.
  event jsonb not null,
  -- False while it is being done, so that the outcome is not known.
  settled boolean not null,
  told_at timestamptz not null default now(),
  -- Why the trail refused it for good.
  refused text
);
create index events_to_forward on events (place) where settled and refused is null;
create index events_open on events (told_at) where not settled;
create index events_refused on events (place) where refused is not null;
