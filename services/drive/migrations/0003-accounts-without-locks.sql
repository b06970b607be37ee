-- Who accounts for an object looks at it again afterwards, and accounts for it anew if another writer was there in between. So the last account of
-- a key is of what is there, and nobody holds a lock while looking; what remains is that two accounts of one bucket come one after the other.

create function lock_usage(for_bucket text) returns void language plpgsql as $$
begin
  insert into drive.usage (bucket) values (for_bucket) on conflict do nothing;
  perform from drive.usage u where u.bucket = for_bucket for update;
end $$;

create or replace function account_object(for_bucket text, for_key bytea, now_bytes bigint)
returns void language plpgsql as $$
declare
  before bigint;
begin
  perform drive.lock_usage(for_bucket);
  select o.bytes into before from drive.objects o where o.bucket = for_bucket and o.key = for_key;
  if now_bytes is null then
    delete from drive.objects o where o.bucket = for_bucket and o.key = for_key;
  elsif before is distinct from now_bytes then
    insert into drive.objects (bucket, key, bytes) values (for_bucket, for_key, now_bytes)
      on conflict (bucket, key) do update set bytes = excluded.bytes;
  end if;
  if before is distinct from now_bytes then
    perform drive.add_usage(for_bucket, coalesce(now_bytes, 0) - coalesce(before, 0),
      (now_bytes is not null)::int - (before is not null)::int);
  end if;
end $$;

-- As before, in a transaction of its own that does not wait for the disk.
create or replace function account_leased(for_bucket text, lease uuid, seen int, drawn bigint, objects jsonb)
returns boolean language plpgsql as $$
declare
  object record;
begin
  perform set_config('synchronous_commit', 'off', true);
  perform drive.lock_usage(for_bucket);
  for object in select decode(o.key, 'hex') as key, o.bytes from jsonb_to_recordset(objects) as o (key text, bytes bigint) loop
    perform drive.account_object(for_bucket, object.key, object.bytes);
  end loop;
  update drive.reservations r set bytes = greatest(r.bytes - drawn, 0), accounts = seen + 1
    where r.id = lease and r.accounts = seen;
  return found;
end $$;
