-- What happened, in the order in which it was received; each row is linked to the one before by a keyed hash (services/audit/chain.ts).
-- Times are microseconds since the epoch: as clients send them, and exact in every driver.
create table events (
  seq bigint primary key,
  id uuid not null unique,
  event_time bigint not null,
  receive_time bigint not null,
  source text not null,
  action text not null,
  read_only boolean not null,
  status_code integer,
  status_message text,
  principal text not null,
  source_address text not null,
  resource text not null,
  request_parameters jsonb not null,
  user_agent text not null,
  metadata jsonb not null,
  workspace text not null,
  type smallint not null,
  hash bytea not null
);
-- Newest first, by what people ask for.
create index events_time on events (event_time, seq);
create index events_principal on events (principal, event_time, seq);
create index events_resource on events (resource, event_time, seq);
create index events_action on events (action, event_time, seq);
create index events_workspace on events (workspace, event_time, seq);
create index events_source on events (source, event_time, seq);
create index events_address on events (source_address, event_time, seq);
create index events_failed on events (event_time, seq) where status_code is not null;

-- One row. Events up to the base have been given up (retention); the head is the last one. Whoever appends holds the row, so there is one order.
create table trail (
  only_one boolean primary key default true check (only_one),
  base_seq bigint not null,
  base_hash bytea not null,
  base_mac bytea not null,
  head_seq bigint not null,
  head_hash bytea not null,
  head_mac bytea not null,
  checkpoint_seq bigint not null,
  checkpoint_time bigint not null,
  -- Set by a restore, for the next append to say so in the trail itself.
  restored boolean not null default false
);

create table checkpoints (
  seq bigint primary key,
  hash bytea not null,
  mac bytea not null,
  -- When it was made; everything before it had been received by then.
  made_time bigint not null
);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'The audit trail is append-only: % of audit.% is refused.', tg_op, tg_table_name using errcode = '42501';
end $$;

-- What the base has passed is no part of the trail any more.
create function refuse_removal() returns trigger language plpgsql as $$
begin
  if old.seq <= (select base_seq from audit.trail) then return old; end if;
  raise exception 'The audit trail is append-only: % of audit.% is refused.', tg_op, tg_table_name using errcode = '42501';
end $$;

create trigger no_update before update on events for each row execute function refuse_change();
create trigger no_delete before delete on events for each row execute function refuse_removal();
create trigger no_truncate before truncate on events for each statement execute function refuse_change();
create trigger no_update before update on checkpoints for each row execute function refuse_change();
create trigger no_delete before delete on checkpoints for each row execute function refuse_removal();
create trigger no_truncate before truncate on checkpoints for each statement execute function refuse_change();
create trigger no_delete before delete on trail for each row execute function refuse_change();
create trigger no_truncate before truncate on trail for each statement execute function refuse_change();
