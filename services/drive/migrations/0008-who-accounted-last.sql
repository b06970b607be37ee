-- Where only one lease accounts for what is in a bucket, nobody else wrote there, and no account has to be compared with what is there. So the
-- bucket says who was the last.

-- A lease; null for whoever asked by themselves.
alter table usage add column accounted_by uuid;

-- Accounts for what was drawn from a lease and gives it back. `objects` is [{"key": <hex>, "bytes": <number or null>}]. `whole` is false when
-- accounts of this lease were lost; `alone` unless somebody else accounted for something since its last one; `fits` while the quota is kept.
create function account_draws(for_bucket text, lease uuid, seen int, drawn bigint, objects jsonb, default_quota bigint,
  out whole boolean, out alone boolean, out fits boolean) language plpgsql as $$
declare
  object record;
  before bigint;
  more_bytes bigint := 0;
  more_objects bigint := 0;
  used bigint;
  allowed bigint;
begin
  perform set_config('synchronous_commit', 'off', true);
  loop
    select u.accounted_by is not distinct from lease, u.bytes, coalesce(u.quota, default_quota) into alone, used, allowed
      from drive.usage u where u.bucket = for_bucket for update;
    exit when found;
    insert into drive.usage (bucket) values (for_bucket) on conflict do nothing;
  end loop;
  -- One after the other: joined with them, the server reads all of a bucket that it thinks small.
  for object in select decode(o.key, 'hex') as key, o.bytes from jsonb_to_recordset(objects) as o (key text, bytes bigint) loop
    select o.bytes into before from drive.objects o where o.bucket = for_bucket and o.key = object.key;
    continue when before is not distinct from object.bytes;
    if object.bytes is null then
      delete from drive.objects o where o.bucket = for_bucket and o.key = object.key;
    else
      insert into drive.objects (bucket, key, bytes) values (for_bucket, object.key, object.bytes)
        on conflict (bucket, key) do update set bytes = excluded.bytes;
    end if;
    more_bytes := more_bytes + coalesce(object.bytes, 0) - coalesce(before, 0);
    more_objects := more_objects + (object.bytes is not null)::int - (before is not null)::int;
  end loop;
  if not alone or more_bytes <> 0 or more_objects <> 0 then
    update drive.usage u set bytes = u.bytes + more_bytes, objects = u.objects + more_objects, accounted_by = lease
      where u.bucket = for_bucket;
  end if;
  update drive.reservations r set bytes = greatest(r.bytes - drawn, 0), accounts = seen + 1
    where r.id = lease and r.accounts = seen;
  whole := found;
  fits := allowed = 0 or used + more_bytes
    + (select coalesce(sum(r.bytes), 0) from drive.reservations r where r.bucket = for_bucket) <= allowed;
end $$;

-- A process of the release before, which is replaced while this is here.
create or replace function account_leased(for_bucket text, lease uuid, seen int, drawn bigint, objects jsonb)
returns boolean language plpgsql as $$
begin
  return (select whole from drive.account_draws(for_bucket, lease, seen, drawn, objects, 0));
end $$;

-- Also where nothing changes: the account of whoever writes at the same time may come after this one.
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
  update drive.usage u set accounted_by = null,
      bytes = u.bytes + coalesce(now_bytes, 0) - coalesce(before, 0),
      objects = u.objects + (now_bytes is not null)::int - (before is not null)::int
    where u.bucket = for_bucket and (u.accounted_by is not null or before is distinct from now_bytes);
end $$;

-- As before; and if another one accounts for something, this lease will not have been alone.
create or replace function lease(for_bucket text, for_writer uuid, reservation uuid, most bigint, smallest bigint, default_quota bigint)
returns bigint language plpgsql as $$
declare
  used bigint;
  allowed bigint;
  held bigint;
  share bigint := most;
begin
  perform drive.lock_usage(for_bucket);
  select u.bytes, coalesce(u.quota, default_quota) into used, allowed from drive.usage u where u.bucket = for_bucket;
  if allowed > 0 then
    select coalesce(sum(r.bytes), 0) into held from drive.reservations r where r.bucket = for_bucket;
    share := least(most, (allowed - used - held) / 64);
    if share < smallest then
      return 0;
    end if;
  end if;
  insert into drive.reservations (id, writer, bucket, bytes) values (reservation, for_writer, for_bucket, share);
  update drive.usage u set accounted_by = reservation where u.bucket = for_bucket;
  return share;
end $$;
