-- The same, for less: what a small write costs the server is mostly the statements within these functions. A function in SQL is planned anew
-- with each statement that calls it, one in PL/pgSQL once a connection.

create or replace function within_quota(for_bucket text, default_quota bigint)
returns boolean language plpgsql volatile as $$
begin
  return coalesce((
    select allowed = 0 or u.bytes + (select coalesce(sum(r.bytes), 0) from drive.reservations r where r.bucket = for_bucket) <= allowed
    from drive.usage u, lateral (select coalesce(u.quota, default_quota) as allowed) as of
    where u.bucket = for_bucket
  ), true);
end $$;

create or replace function add_usage(for_bucket text, more_bytes bigint, more_objects bigint)
returns void language plpgsql as $$
begin
  insert into drive.usage as u (bucket, bytes, objects) values (for_bucket, more_bytes, more_objects)
    on conflict (bucket) do update set bytes = u.bytes + more_bytes, objects = u.objects + more_objects;
end $$;

-- There is nothing to insert but the first time.
create or replace function lock_usage(for_bucket text) returns void language plpgsql as $$
begin
  perform from drive.usage u where u.bucket = for_bucket for update;
  if not found then
    insert into drive.usage (bucket) values (for_bucket) on conflict do nothing;
    perform from drive.usage u where u.bucket = for_bucket for update;
  end if;
end $$;

-- Locks and sums up once for all objects. One after the other: joined with them, the server reads all of a bucket that it thinks small.
create or replace function account_leased(for_bucket text, lease uuid, seen int, drawn bigint, objects jsonb)
returns boolean language plpgsql as $$
declare
  object record;
  before bigint;
  more_bytes bigint := 0;
  more_objects bigint := 0;
begin
  perform set_config('synchronous_commit', 'off', true);
  perform drive.lock_usage(for_bucket);
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
  if more_bytes <> 0 or more_objects <> 0 then
    perform drive.add_usage(for_bucket, more_bytes, more_objects);
  end if;
  update drive.reservations r set bytes = greatest(r.bytes - drawn, 0), accounts = seen + 1
    where r.id = lease and r.accounts = seen;
  return found;
end $$;
