-- A reservation may be a lease: many small writes of one process draw on it, and give back what they drew when they are accounted for. It is
-- on the disk before the first of them, so a bucket whose writer died is counted anew as ever; their accounts need not be, one by one.

-- How many accounts were made of it. They are committed without waiting for the disk, and the newest may be lost when the server crashes
-- or another one takes over: the writer sees that by this number.
alter table reservations add column accounts int not null default 0;

-- How many bytes are set aside: `most` where there is no quota, a small part of what is free where there is plenty, or 0, and then each
-- write has to ask by itself.
create function lease(for_bucket text, for_writer uuid, reservation uuid, most bigint, smallest bigint, default_quota bigint)
returns bigint language plpgsql as $$
declare
  used bigint;
  allowed bigint;
  held bigint;
  share bigint := most;
begin
  insert into drive.usage (bucket) values (for_bucket) on conflict do nothing;
  select u.bytes, coalesce(u.quota, default_quota) into used, allowed
    from drive.usage u where u.bucket = for_bucket for update;
  if allowed > 0 then
    select coalesce(sum(r.bytes), 0) into held from drive.reservations r where r.bucket = for_bucket;
    share := least(most, (allowed - used - held) / 64);
    if share < smallest then
      return 0;
    end if;
  end if;
  insert into drive.reservations (id, writer, bucket, bytes) values (reservation, for_writer, for_bucket, share);
  return share;
end $$;

-- Accounts for what is there now, and gives back what was drawn for it. `objects` is [{"key": <hex>, "bytes": <number or null>}]; the keys are
-- locked. False when accounts of this lease were lost.
create function account_leased(for_bucket text, lease uuid, seen int, drawn bigint, objects jsonb)
returns boolean language plpgsql as $$
declare
  object record;
  before bigint;
  more_bytes bigint := 0;
  more_objects bigint := 0;
  complete boolean;
begin
  for object in select decode(o.key, 'hex') as key, o.bytes from jsonb_to_recordset(objects) as o (key text, bytes bigint) loop
    select o.bytes into before from drive.objects o where o.bucket = for_bucket and o.key = object.key;
    if object.bytes is null then
      delete from drive.objects o where o.bucket = for_bucket and o.key = object.key;
    elsif before is distinct from object.bytes then
      insert into drive.objects (bucket, key, bytes) values (for_bucket, object.key, object.bytes)
        on conflict (bucket, key) do update set bytes = excluded.bytes;
    end if;
    more_bytes := more_bytes + coalesce(object.bytes, 0) - coalesce(before, 0);
    more_objects := more_objects + (object.bytes is not null)::int - (before is not null)::int;
  end loop;
  if more_bytes <> 0 or more_objects <> 0 then
    perform drive.add_usage(for_bucket, more_bytes, more_objects);
  end if;
  update drive.reservations r set bytes = greatest(r.bytes - drawn, 0), accounts = seen + 1
    where r.id = lease and r.accounts = seen;
  complete := found;
  return complete;
end $$;
