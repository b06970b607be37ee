-- Who was signed out of everything lately: bearer tokens of theirs that are older are refused for as long as such tokens live. `*` is everybody.
create table endings (
  subject text primary key,
  at timestamptz not null default now()
);
