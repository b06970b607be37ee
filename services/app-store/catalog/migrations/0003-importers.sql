-- Who imported an app lends it secrets; it may belong to somebody else by now. Of what is there already, its owner is the best guess, and none of
-- it was given secrets before.
alter table apps
  add column importer_subject text,
  add column importer_username text;

update apps set importer_subject = owner_subject, importer_username = owner_username;

alter table apps
  alter column importer_subject set not null,
  alter column importer_username set not null;

-- A text has few secrets and there are many apps: which of them name one is asked when it is changed.
create index apps_secrets on apps using gin (
  (jsonb_path_query_array(manifest, '$.env[*].from.secret') || jsonb_path_query_array(manifest, '$.files[*].from.secret'))
);
