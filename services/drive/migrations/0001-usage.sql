-- What is in each bucket, so that a quota can be held without looking at every object. The objects are the truth, and this can be counted
-- anew from them at any time (services/drive/usage/recount.ts).

create table usage (
  -- The prefix of its blobs.
  bucket text primary key,
  bytes bigint not null default 0,
  objects bigint not null default 0,
  -- Instead of the installation's setting; null for that.
  quota bigint
);

create table objects (
  bucket text not null,
  -- A key may hold any byte, which text may not.
  key bytea not null,
  bytes bigint not null,
  primary key (bucket, key)
);

-- Parts of uploads that are neither completed nor aborted.
create table parts (
  bucket text not null,
  upload_id text not null,
  part_number int not null,
  bytes bigint not null,
  primary key (bucket, upload_id, part_number)
);

-- Processes that write. One that has not been seen for a while died, perhaps between a write and its account.
create table writers (
  id uuid primary key,
  seen_at timestamptz not null default now()
);

-- What is being written.
create table reservations (
  id uuid primary key,
  writer uuid not null references writers on delete cascade,
  bucket text not null,
  bytes bigint not null
);
create index reservations_by_bucket on reservations (bucket);

-- Whether so many bytes more fit, and if so, they are set aside. Who asks at the same time waits for the answer.
create function reserve(for_bucket text, for_writer uuid, reservation uuid, more bigint, for_key bytea, default_quota bigint)
returns boolean language plpgsql as $$
declare
  used bigint;
  allowed bigint;
  held bigint;
  replaced bigint := 0;
begin
  insert into drive.usage (bucket) values (for_bucket) on conflict do nothing;
  select u.bytes, coalesce(u.quota, default_quota) into used, allowed
    from drive.usage u where u.bucket = for_bucket for update;
  select coalesce(sum(r.bytes), 0) into held from drive.reservations r where r.bucket = for_bucket;
  if for_key is not null then
    select o.bytes into replaced from drive.objects o where o.bucket = for_bucket and o.key = for_key;
  end if;
  more := greatest(more - coalesce(replaced, 0), 0);
  if more > 0 and allowed > 0 and used + held + more > allowed then
    return false;
  end if;
  insert into drive.reservations (id, writer, bucket, bytes) values (reservation, for_writer, for_bucket, more);
  return true;
end $$;

-- The object has so many bytes now; null: it is not there.
create function account_object(for_bucket text, for_key bytea, now_bytes bigint)
returns void language plpgsql as $$
declare
  before bigint;
begin
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

create function account_part(for_bucket text, for_upload text, for_part int, now_bytes bigint)
returns void language plpgsql as $$
declare
  before bigint;
begin
  select p.bytes into before from drive.parts p
    where p.bucket = for_bucket and p.upload_id = for_upload and p.part_number = for_part for update;
  insert into drive.parts (bucket, upload_id, part_number, bytes) values (for_bucket, for_upload, for_part, now_bytes)
    on conflict (bucket, upload_id, part_number) do update set bytes = excluded.bytes;
  perform drive.add_usage(for_bucket, now_bytes - coalesce(before, 0), 0);
end $$;

-- The upload was completed or aborted.
create function forget_parts(for_bucket text, for_upload text)
returns void language plpgsql as $$
declare
  freed bigint;
begin
  with gone as (
    delete from drive.parts p where p.bucket = for_bucket and p.upload_id = for_upload returning p.bytes)
  select coalesce(sum(bytes), 0) into freed from gone;
  perform drive.add_usage(for_bucket, -freed, 0);
end $$;

create function add_usage(for_bucket text, more_bytes bigint, more_objects bigint)
returns void language sql as $$
  insert into drive.usage as u (bucket, bytes, objects) values (for_bucket, more_bytes, more_objects)
    on conflict (bucket) do update set bytes = u.bytes + more_bytes, objects = u.objects + more_objects;
$$;
