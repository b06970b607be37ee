-- A client is noted before the issuer is asked to register it, so that none is forgotten when Haic dies between the two. One whose
-- registration token never arrived can be used, and not be removed: when its instance is gone it is left behind, and said by name.
alter table registered_clients add column left_behind_at timestamptz;
