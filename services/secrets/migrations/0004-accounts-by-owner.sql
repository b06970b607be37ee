-- A person's accounts are listed over all clients.
create index token_sources_by_owner on token_sources (owner);
