-- Whether all that is in use or set aside is within the quota. Asked with each account of a lease, so that a quota which was lowered ends the lease.
create function within_quota(for_bucket text, default_quota bigint)
returns boolean language sql volatile as $$
  select coalesce((
    select allowed = 0 or u.bytes + (select coalesce(sum(r.bytes), 0) from drive.reservations r where r.bucket = for_bucket) <= allowed
    from drive.usage u, lateral (select coalesce(u.quota, default_quota) as allowed) as of
    where u.bucket = for_bucket
  ), true)
$$;
