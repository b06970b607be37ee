-- Answers to requests with an Idempotency-Key. The key is a hash of the person, the client and what they sent.
create table keys (
  key text primary key,
  claim uuid not null,
  -- The id of the thing that is being made; stays when another takes the claim over.
  makes uuid not null,
  lease_until timestamptz not null,
  expires_at timestamptz not null,
  fingerprint text,
  status integer,
  headers text,
  -- Bytes: an answer may hold what the type text cannot.
  body bytea
);

create index keys_by_expiry on keys (expires_at);
