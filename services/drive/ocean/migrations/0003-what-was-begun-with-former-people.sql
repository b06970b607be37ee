-- The last hand-over or purge, so that whoever looks at the list sees how far it is and why it failed.
alter table former_people add column operation_id text;
