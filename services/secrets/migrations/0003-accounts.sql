alter table token_sources
  -- Whether there is a refresh token; null where that was not noted when it was connected.
  add column renewable boolean,
  -- To the minute.
  add column last_used_at timestamptz,
  -- What went wrong last, in words for its owner; null once all is well.
  add column problem text,
  add column problem_at timestamptz;

-- Whether the portal sent the browser, and has it back, whatever the provider answers.
alter table logins add column to_portal boolean not null default false;
