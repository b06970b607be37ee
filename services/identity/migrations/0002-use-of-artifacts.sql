-- When a session or token was made and last used, for the page on which people look after their own.
-- Both are equal until it is used for the first time.
alter table artifacts
  add column created_at timestamptz not null default now(),
  add column used_at timestamptz not null default now();
