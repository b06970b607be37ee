-- Whether an app can still run here, as the checker found it last (preconditions.ts). What is there now was checked when it was imported.
alter table apps
  add column precondition_problems jsonb not null default '[]',
  add column precondition_checked_at timestamptz;

update apps set precondition_checked_at = created_at;

alter table apps alter column precondition_checked_at set not null;

-- Of a thousand apps few fail; the list of those is asked for by administrators.
create index apps_failing on apps (created_at desc, id) where jsonb_path_exists(precondition_problems, '$[*] ? (@.blocks == true)');
